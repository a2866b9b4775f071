import type { ConnectionKeeper, CutReason } from '../listener/exchange.ts';
import type { Logger } from '../log/logger.ts';
import { RepeatedLog } from '../log/repeated-log.ts';
import { metricNames } from '../metrics/names.ts';
import type { Counter, Recorder } from '../metrics/recorder.ts';
import { AddressBlocks } from './address-block.ts';
import type { AddressCensus } from './address-census.ts';
import { tellFrom } from './concurrency-zone.ts';
import type { DescriptorWatch } from './descriptor-watch.ts';
import { type Hold, HoldTable } from './hold-table.ts';
import { KeyedHash } from './keyed-hash.ts';
import type { MemoryWatch } from './memory-watch.ts';

const logIntervalMs = 60_000;

/** How many connections there may be. */
export interface ConnectionLimits {
  readonly connections: number | false;
  readonly connectionsPerAddress: number | false;
  /** Descriptors that connections leave to everything else. */
  readonly descriptorReserve: number;
  /** Percent of the memory that may be in use; false for all of it. */
  readonly memoryPercent: number | false;
}

type Reason = 'connections' | 'address' | 'descriptors' | 'memory';

const explanations: Readonly<Record<Reason, string>> = {
  connections: 'there are as many as limits.connections allows',
  address: 'their address has as many as limits.connectionsPerAddress allows',
  descriptors: 'file descriptors run low (RLIMIT_NOFILE, limits.descriptorReserve)',
  memory: 'memory runs low (limits.memoryPercent)',
};

const cutExplanations: Readonly<Record<CutReason, string>> = {
  head_timeout: 'the head of a request did not come in time (timeouts.requestHead)',
  send_timeout: 'they took nothing of what was sent (timeouts.send)',
  send_rate: 'they took what was sent too slowly (limits.minSendRate)',
  request_time: 'the response was not complete in time (timeouts.request)',
  http2_flood: 'they made work that is worth nothing, such as requests taken back (limits.http2Resets)',
  http2_error: 'they broke the rules of HTTP/2',
};

/** What tells the gate about the machine. */
export interface ConnectionWatches {
  readonly descriptors: DescriptorWatch;
  readonly memory: MemoryWatch;
  readonly census: AddressCensus;
}

/** Decides on connections before anything is read from them. What it does not let in is closed at once. */
export class ConnectionGate implements ConnectionKeeper {
  /** Connections of all addresses together, under one key. */
  readonly total = new HoldTable();
  /** Connections of each address whose end is told. */
  readonly addresses = new HoldTable();
  readonly #watches: ConnectionWatches;
  readonly #log: RepeatedLog;
  readonly #refused: Readonly<Record<Reason, Counter>>;
  readonly #cut: Readonly<Record<CutReason, Counter>>;
  readonly #blocks = new AddressBlocks();
  #hash = new KeyedHash(Buffer.alloc(16));
  #limits: ConnectionLimits | undefined;

  constructor(recorder: Recorder, logger: Logger, watches: ConnectionWatches) {
    this.#watches = watches;
    this.#log = new RepeatedLog(logger, logIntervalMs);
    const counter = (reason: Reason): Counter => recorder.counter(metricNames.connectionsRefused, { reason });
    this.#refused = {
      connections: counter('connections'),
      address: counter('address'),
      descriptors: counter('descriptors'),
      memory: counter('memory'),
    };
    const cut = (reason: CutReason): Counter => recorder.counter(metricNames.connectionsCut, { reason });
    this.#cut = {
      head_timeout: cut('head_timeout'),
      send_timeout: cut('send_timeout'),
      send_rate: cut('send_rate'),
      request_time: cut('request_time'),
      http2_flood: cut('http2_flood'),
      http2_error: cut('http2_error'),
    };
  }

  /** Whether `admit` looks at the address. */
  get wantsAddress(): boolean {
    return this.#limits !== undefined && this.#limits.connectionsPerAddress !== false;
  }

  /**
   * @param hash the same at each call
   * @param workers who have connections under these limits
   */
  configure(limits: ConnectionLimits, hash: KeyedHash, workers: number): void {
    this.#limits = limits;
    this.#hash = hash;
    this.#watches.descriptors.configure(limits.descriptorReserve);
    this.#watches.memory.configure(limits.memoryPercent);
    const perAddress = limits.connectionsPerAddress;
    this.#watches.census.workers = workers;
    this.addresses.tellFrom = perAddress === false ? Number.POSITIVE_INFINITY : tellFrom(perAddress, workers);
  }

  /**
   * @param address may be '' where `wantsAddress` is not set
   * @param tellsEnd whether `ended` will be told the address, too
   * @returns false to close the connection; `ended` is not called for it then
   */
  admit(address: string, tellsEnd: boolean): boolean {
    const reason = this.#objection(address, tellsEnd);
    if (reason === undefined) {
      this.total.find(0, 0).take();
      return true;
    }
    this.#refused[reason].add(1);
    const fields = reason === 'address' ? { client: address } : {};
    this.#log.warn(reason, `refuses connections: ${explanations[reason]}`, fields);
    return false;
  }

  cut(reason: CutReason): void {
    this.#cut[reason].add(1);
    this.#log.warn(reason, `cuts clients: ${cutExplanations[reason]}`);
  }

  /** A connection that was let in is over. @param address undefined where nobody knows it */
  ended(address: string | undefined): void {
    this.total.find(0, 0).release();
    if (address !== undefined) this.#holdOf(address).release();
  }

  #objection(address: string, tellsEnd: boolean): Reason | undefined {
    if (this.#watches.descriptors.isLow()) return 'descriptors';
    if (this.#watches.memory.isLow) return 'memory';
    const { connections = false, connectionsPerAddress = false } = this.#limits ?? {};
    if (connections !== false && this.total.find(0, 0).total >= connections) return 'connections';
    // Peers on a Unix socket have no address, and are proxies.
    const limit = connectionsPerAddress === false || address === '' ? Number.POSITIVE_INFINITY : connectionsPerAddress;
    return this.#hasTooMany(address, limit, tellsEnd) ? 'address' : undefined;
  }

  #hasTooMany(address: string, limit: number, tellsEnd: boolean): boolean {
    if (!tellsEnd) {
      if (limit === Number.POSITIVE_INFINITY) return false;
      // Nobody has more than there are.
      return this.#watches.census.opens(address, limit, this.total.find(0, 0).total >= limit);
    }
    const hold = this.#holdOf(address);
    if (hold.total >= limit) return true;
    hold.take();
    return false;
  }

  #holdOf(address: string): Hold {
    const hash = this.#hash;
    hash.begin();
    this.#blocks.feed(hash, address);
    hash.finish();
    return this.addresses.find(hash.high, hash.low);
  }
}
