import { metricNames } from '../metrics/names.ts';
import type { Counter, Recorder } from '../metrics/recorder.ts';
import type { RequestContext } from '../request/request-context.ts';
import { type AddressListFactory, type ExemptionConfig, Exemptions } from './exemptions.ts';
import type { KeyedHash } from './keyed-hash.ts';
import { RateTable } from './rate-table.ts';
import { type KeyPart, RequestKey } from './request-key.ts';

/** A rate and what it is counted by. */
export interface RateLimitConfig extends ExemptionConfig {
  readonly key: readonly KeyPart[];
  /** Counted together with other machines. */
  readonly shared: boolean;
  /** Milliseconds from one request to the next at that rate. */
  readonly interval: number;
  /** Requests that may come ahead of the rate. */
  readonly burst: number;
  /** Keys remembered, in each worker. */
  readonly keys: number;
  /** Of the refusal. */
  readonly status: number;
  /** Only counts and logs what it would refuse. */
  readonly dryRun: boolean;
  /** Which responses tell the client what is left. */
  readonly fields: 'refused' | 'all' | 'none';
}

/** What zones have in common. */
export interface ZoneResources {
  readonly hash: KeyedHash;
  readonly recorder: Recorder;
  readonly makeList: AddressListFactory;
}

/** One named limit of a rate. What it knows of its keys outlives a reload as long as the key and the size stay. */
export class RateZone {
  readonly name: string;
  readonly table: RateTable;
  config: RateLimitConfig;
  /** Told when a key has used up so much that others should hear of it now. */
  onUrgent: (() => void) | undefined;
  /** Told of requests that would be refused without `dryRun`. */
  onDryRun: ((context: RequestContext) => void) | undefined;
  readonly refused: Counter;
  private readonly passed: Counter;
  private readonly dryRun: Counter;
  private readonly exempt: Counter;
  readonly #displaced: Counter;
  readonly #hash: KeyedHash;
  readonly #makeList: AddressListFactory;
  #key: RequestKey;
  #exemptions: Exemptions;
  #displacedBefore = 0;
  /** Requests of one key that make a report urgent. */
  #urgentCount = 1;
  #slot = 0;
  #counts = false;

  constructor(name: string, config: RateLimitConfig, { hash, recorder, makeList }: ZoneResources) {
    this.name = name;
    this.config = config;
    this.#hash = hash;
    this.#makeList = makeList;
    this.table = new RateTable(config.keys);
    this.#key = new RequestKey(config.key, hash);
    this.#exemptions = new Exemptions(config, makeList);
    const outcome = (result: string): Counter =>
      recorder.counter(metricNames.rateLimitRequests, { zone: name, result });
    this.passed = outcome('passed');
    this.refused = outcome('refused');
    this.dryRun = outcome('dry_run');
    this.exempt = outcome('exempt');
    this.#displaced = recorder.counter(metricNames.rateLimitKeysDisplaced, { zone: name });
  }

  /** Whether what is remembered has a meaning under that configuration. */
  remembersFor({ key, keys }: RateLimitConfig): boolean {
    return keys === this.config.keys && JSON.stringify(key) === JSON.stringify(this.config.key);
  }

  /** Another rate counts from now on. @param workers who counts with it */
  configure(config: RateLimitConfig, now: number, workers: number): void {
    if (config.interval !== this.config.interval) this.table.rescale(config.interval / this.config.interval, now);
    this.config = config;
    this.#key = new RequestKey(config.key, this.#hash);
    this.#exemptions = new Exemptions(config, this.#makeList);
    this.#urgentCount = Math.max(1, Math.floor(config.burst / (2 * workers)));
  }

  /**
   * Whether a request may come; `take` counts it then. Nothing may be asked of the zone in between.
   * @returns milliseconds that it comes too early; 0 when it may come
   */
  check(context: RequestContext, now: number): number {
    this.#counts = false;
    if (!this.#exemptions.empty && this.#exemptions.has(context)) {
      this.exempt.add(1);
      return 0;
    }
    this.#key.read(context);
    const slot = this.table.find(this.#hash.high, this.#hash.low, now);
    this.#slot = slot;
    const { interval, burst, dryRun } = this.config;
    // Half a request of slack for what sums of fractions lose.
    const excess = this.table.debt(slot, now) - (burst + 0.5) * interval;
    if (excess <= 0) this.#counts = true;
    else if (dryRun) {
      this.dryRun.add(1);
      this.onDryRun?.(context);
      return 0;
    }
    return excess > 0 ? excess : 0;
  }

  /** Counts the request that `check` was asked about last, unless it is exempt. */
  take(now: number): void {
    if (!this.#counts) return;
    this.passed.add(1);
    if (this.table.take(this.#slot, now, this.config.interval) >= this.#urgentCount) this.onUrgent?.();
  }

  /** What the key that `check` was asked about last has left, and when it has everything again. */
  state(now: number): { readonly left: number; readonly fullInMs: number } | undefined {
    if (!this.#counts) return undefined;
    const { interval, burst } = this.config;
    const debt = this.table.debt(this.#slot, now);
    return { left: Math.max(0, Math.floor(burst + 1.5 - debt / interval)), fullInMs: debt };
  }

  countDisplaced(): void {
    const { displaced } = this.table;
    if (displaced > this.#displacedBefore) this.#displaced.add(displaced - this.#displacedBefore);
    this.#displacedBefore = displaced;
  }
}
