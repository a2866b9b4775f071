import { readFileSync } from 'node:fs';
import { AddressBlocks } from './address-block.ts';

/** Least time between two looks, milliseconds, and how many times as long as a look takes: it is to cost 5 % at most. */
const pauseMs = 50;
const pauseFactor = 20;
/** Addresses that opened something since the last look; beyond, there is a look at once. */
const mostOpened = 20_000;
const tables = ['/proc/net/tcp', '/proc/net/tcp6'] as const;
/** Established, and closed by the peer only: states of include/net/tcp_states.h. */
const openStates = new Set(['01', '08']);

/** Gives one of the kernel's tables of TCP connections. */
export type TableReader = (path: string) => string;

/**
 * How many connections each address has, where nobody tells who it was when a connection ends: taken from the kernel's own
 * table, all workers together, and only when what was opened since the last look could be too much. Linux only.
 */
export class AddressCensus {
  /** Whether the kernel has such a table. */
  available = true;
  /** Who opens connections: until it looks, it takes each of them to have opened as many as this one. */
  workers = 1;
  readonly #ports: () => ReadonlySet<number>;
  readonly #read: TableReader;
  readonly #now: () => number;
  readonly #blocks = new AddressBlocks();
  readonly #opened = new Map<string, number>();
  #counted = new Map<string, number>();
  #nextAt = Number.NEGATIVE_INFINITY;

  /** @param ports those that clients connect to */
  constructor(ports: () => ReadonlySet<number>, read: TableReader = readTable, now = () => performance.now()) {
    this.#ports = ports;
    this.#read = read;
    this.#now = now;
  }

  /** Counts a connection that has just come. @returns whether its address has more than so many now */
  opens(address: string, limit: number, mayLook: boolean): boolean {
    const name = this.#blocks.name(address);
    const opened = (this.#opened.get(name) ?? 0) + 1;
    this.#opened.set(name, opened);
    if (this.#opened.size > mostOpened) this.#look();
    const estimate = (this.#counted.get(name) ?? 0) + (this.#opened.get(name) ?? 0) * this.workers;
    if (estimate <= limit || !mayLook || !this.available) return false;
    if (this.#now() >= this.#nextAt) this.#look();
    const open = (this.#counted.get(name) ?? 0) + (this.#opened.get(name) ?? 0);
    if (!this.available || open <= limit) return false;
    if (this.#opened.has(name)) this.#opened.set(name, opened - 1);
    return true;
  }

  #look(): void {
    const startedAt = this.#now();
    const counted = new Map<string, number>();
    try {
      const ports = this.#ports();
      for (const table of tables) this.#count(this.#read(table), ports, counted);
    } catch {
      this.available = false;
    }
    this.#counted = counted;
    this.#opened.clear();
    const endedAt = this.#now();
    this.#nextAt = endedAt + Math.max(pauseMs, (endedAt - startedAt) * pauseFactor);
  }

  /** Lines as in Documentation/networking/proc_net_tcp.rst. */
  #count(table: string, ports: ReadonlySet<number>, counted: Map<string, number>): void {
    for (const line of table.split('\n')) {
      const [, local = '', remote = '', state = ''] = line.trim().split(/\s+/, 4);
      if (!openStates.has(state)) continue;
      if (!ports.has(Number.parseInt(local.slice(local.indexOf(':') + 1), 16))) continue;
      const name = this.#blocks.name(addressOf(remote.slice(0, remote.indexOf(':'))));
      counted.set(name, (counted.get(name) ?? 0) + 1);
    }
  }
}

function readTable(path: string): string {
  return readFileSync(path, 'latin1');
}

/** Words of 32 bits in the order of the machine, which is little-endian wherever Portico runs. */
function addressOf(hex: string): string {
  const bytes: number[] = [];
  for (let word = 0; word < hex.length; word += 8) {
    for (let at = word + 6; at >= word; at -= 2) bytes.push(Number.parseInt(hex.slice(at, at + 2), 16));
  }
  if (bytes.length === 4) return bytes.join('.');
  const isMapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
  if (isMapped) return bytes.slice(12).join('.');
  const groups = Array.from({ length: 8 }, (_, at) =>
    (((bytes[at * 2] ?? 0) << 8) | (bytes[at * 2 + 1] ?? 0)).toString(16),
  );
  return groups.join(':');
}
