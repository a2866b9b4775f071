import { metricNames } from '../metrics/names.ts';
import type { Counter } from '../metrics/recorder.ts';
import type { RequestContext } from '../request/request-context.ts';
import { type ExemptionConfig, Exemptions } from './exemptions.ts';
import { type Hold, HoldTable } from './hold-table.ts';
import type { ZoneResources } from './rate-zone.ts';
import { type KeyPart, RequestKey } from './request-key.ts';

/** How many requests at a time, and what they are counted by. */
export interface ConcurrencyLimitConfig extends ExemptionConfig {
  readonly key: readonly KeyPart[];
  readonly limit: number;
  /** Of the refusal. */
  readonly status: number;
  /** Only counts and logs what it would refuse. */
  readonly dryRun: boolean;
}

/** One named limit of requests at a time. What is under way stays counted over a reload as long as the key does. */
export class ConcurrencyZone {
  readonly name: string;
  readonly table = new HoldTable();
  config: ConcurrencyLimitConfig;
  /** Told of requests that would be refused without `dryRun`. */
  onDryRun: ((context: RequestContext) => void) | undefined;
  readonly refused: Counter;
  private readonly passed: Counter;
  private readonly dryRun: Counter;
  private readonly exempt: Counter;
  readonly #resources: ZoneResources;
  readonly #key: RequestKey;
  #exemptions: Exemptions;

  constructor(name: string, config: ConcurrencyLimitConfig, resources: ZoneResources) {
    this.name = name;
    this.config = config;
    this.#resources = resources;
    this.#key = new RequestKey(config.key, resources.hash);
    this.#exemptions = new Exemptions(config, resources.makeList);
    const outcome = (result: string): Counter =>
      resources.recorder.counter(metricNames.concurrencyLimitRequests, { zone: name, result });
    this.passed = outcome('passed');
    this.refused = outcome('refused');
    this.dryRun = outcome('dry_run');
    this.exempt = outcome('exempt');
  }

  /** Whether what is counted has a meaning under that configuration. */
  remembersFor({ key }: ConcurrencyLimitConfig): boolean {
    return JSON.stringify(key) === JSON.stringify(this.config.key);
  }

  /** @param workers who counts with it */
  configure(config: ConcurrencyLimitConfig, workers: number): void {
    this.config = config;
    this.#exemptions = new Exemptions(config, this.#resources.makeList);
    this.table.tellFrom = tellFrom(config.limit, workers);
  }

  /** @returns the place of the request, undefined when it needs none, false when there is none for it */
  take(context: RequestContext): Hold | undefined | false {
    if (!this.#exemptions.empty && this.#exemptions.has(context)) {
      this.exempt.add(1);
      return undefined;
    }
    const { hash } = this.#resources;
    this.#key.read(context);
    const hold = this.table.find(hash.high, hash.low);
    if (hold.total < this.config.limit) {
      this.passed.add(1);
      hold.take();
      return hold;
    }
    if (!this.config.dryRun) return false;
    this.dryRun.add(1);
    this.onDryRun?.(context);
    return undefined;
  }
}

/** A limit of ten is told of from one on; of a large one an eighth may stay untold, over all workers. */
export function tellFrom(limit: number, workers: number): number {
  return Math.max(1, Math.floor(limit / (8 * workers)));
}
