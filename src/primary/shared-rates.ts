import type { RedisConfig } from '../config/config.ts';
import type { Logger } from '../log/logger.ts';
import type { Recorder } from '../metrics/recorder.ts';
import { RedisStore } from './redis-store.ts';

/** Keys told of a zone at a time, and those that wait; what comes on top is not shared. */
const mostKeys = 500;
const mostWaiting = 20_000;
/** Pause after Redis did not answer, milliseconds. */
const restMs = 500;

/** A zone whose keys are shared. */
export interface SharedZoneFacts {
  readonly interval: number;
  readonly burst: number;
}

interface WaitingKey {
  readonly high: number;
  readonly low: number;
  requests: number;
}

/** Told how many requests a key is ahead of its rate over all machines, what waits here included. */
export type Learn = (zone: string, high: number, low: number, requests: number) => void;

/**
 * Shares counts with other machines: sends what was counted here in batches, one at a time, and learns from the answers what all
 * of them counted. No request waits for it. While Redis is away nothing is kept for it: the counts of this machine go on.
 */
export class SharedRates {
  private readonly learn: Learn;
  private readonly logger: Logger;
  private readonly recorder: Recorder;
  private config: RedisConfig | undefined;
  private store: RedisStore | undefined;
  private zones = new Map<string, SharedZoneFacts>();
  private readonly waiting = new Map<string, Map<number, WaitingKey>>();
  private timer: NodeJS.Timeout | undefined;
  private sending = false;
  private restUntil = 0;

  constructor(learn: Learn, logger: Logger, recorder: Recorder) {
    this.learn = learn;
    this.logger = logger;
    this.recorder = recorder;
  }

  /** @param zones those that are shared */
  configure(config: RedisConfig | undefined, zones: ReadonlyMap<string, SharedZoneFacts>): void {
    this.zones = new Map(zones);
    for (const zone of this.waiting.keys()) if (!zones.has(zone)) this.waiting.delete(zone);
    const wanted = zones.size > 0 ? config : undefined;
    if (JSON.stringify(wanted) === JSON.stringify(this.config)) return;
    this.config = wanted;
    this.store?.close();
    this.store = wanted === undefined ? undefined : new RedisStore(wanted, this.logger, this.recorder);
  }

  count(zone: string, high: number, low: number, requests: number): void {
    if (this.store?.ready !== true || !this.zones.has(zone) || performance.now() < this.restUntil) return;
    let keys = this.waiting.get(zone);
    if (keys === undefined) this.waiting.set(zone, (keys = new Map()));
    const id = high * 2 ** 32 + low;
    const key = keys.get(id);
    if (key !== undefined) key.requests += requests;
    else if (keys.size < mostWaiting) keys.set(id, { high, low, requests });
    this.sendSoon();
  }

  close(): void {
    clearTimeout(this.timer);
    this.store?.close();
    this.store = undefined;
  }

  private sendSoon(): void {
    if (this.sending || this.config === undefined) return;
    this.timer ??= setTimeout(() => void this.sendAll(), this.config.interval);
  }

  private async sendAll(): Promise<void> {
    this.timer = undefined;
    this.sending = true;
    for (const [zone, keys] of this.waiting) if (keys.size > 0) await this.send(zone, keys);
    this.sending = false;
    for (const keys of this.waiting.values()) if (keys.size > 0) this.sendSoon();
  }

  private async send(zone: string, waiting: Map<number, WaitingKey>): Promise<void> {
    const facts = this.zones.get(zone);
    const { store } = this;
    if (facts === undefined || store === undefined) return waiting.clear();
    const sent = [...waiting].slice(0, mostKeys);
    for (const [id] of sent) waiting.delete(id);
    const answer = await store.add(zone, {
      keys: sent.map(([, { high, low }]) => hex(high) + hex(low)),
      requests: sent.map(([, { requests }]) => requests),
      interval: facts.interval,
      // What several machines let through in the same moment, and not much more.
      most: 16 * (facts.burst + 1),
    });
    if (answer === undefined) {
      // Nobody knows whether it was counted, and later it would count for what is past.
      for (const keys of this.waiting.values()) keys.clear();
      this.restUntil = performance.now() + restMs;
      return;
    }
    for (const [index, [id, { high, low }]] of sent.entries()) {
      this.learn(zone, high, low, (answer[index] ?? 0) + (waiting.get(id)?.requests ?? 0));
    }
  }
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
