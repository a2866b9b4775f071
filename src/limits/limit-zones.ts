import { randomBytes } from 'node:crypto';
import type { Logger } from '../log/logger.ts';
import type { Recorder } from '../metrics/recorder.ts';
import { type ConcurrencyLimitConfig, ConcurrencyZone } from './concurrency-zone.ts';
import type { AddressListFactory } from './exemptions.ts';
import type { HoldTable } from './hold-table.ts';
import { KeyedHash } from './keyed-hash.ts';
import { LimitRefusals } from './limit-refusals.ts';
import { type RateLimitConfig, RateZone, type ZoneResources } from './rate-zone.ts';
import { RouteLimits } from './route-limits.ts';

/** The limits as a configuration has them. */
export interface LimitsConfig {
  readonly rateLimits: Readonly<Record<string, RateLimitConfig>>;
  readonly concurrencyLimits: Readonly<Record<string, ConcurrencyLimitConfig>>;
  readonly workers: number;
  /** What keys are hashed with, the same in all workers: 16 bytes in base64url. '' for one of its own. */
  readonly limitSecret: string;
}

/** Every zone of a worker, by name. Zones live on over reloads; routes get those that are in force. */
export class LimitZones {
  /** Told when what was counted should be told to others soon. */
  onUrgent: (() => void) | undefined;
  readonly #recorder: Recorder;
  readonly #makeList: AddressListFactory;
  readonly #refusals: LimitRefusals;
  #rates = new Map<string, RateZone>();
  #concurrency = new Map<string, ConcurrencyZone>();
  #hash: KeyedHash | undefined;

  constructor(recorder: Recorder, logger: Logger, makeList: AddressListFactory) {
    this.#recorder = recorder;
    this.#makeList = makeList;
    this.#refusals = new LimitRefusals(logger);
  }

  /** What keys are hashed with; there is one once a configuration was prepared. */
  get hash(): KeyedHash {
    return (this.#hash ??= new KeyedHash(randomBytes(16)));
  }

  /** Those of everything held at a time, by their names in messages. */
  get holdTables(): Map<string, HoldTable> {
    return new Map([...this.#concurrency].map(([name, { table }]) => [`concurrency:${name}`, table]));
  }

  get rates(): ReadonlyMap<string, RateZone> {
    return this.#rates;
  }

  get concurrency(): ReadonlyMap<string, ConcurrencyZone> {
    return this.#concurrency;
  }

  /**
   * Makes the zones of a configuration, of those in force where these remember what still has a meaning.
   * @returns a function that brings them into force; until then nothing has changed
   */
  prepare(config: LimitsConfig): PreparedLimits {
    const hash = (this.#hash ??= new KeyedHash(secretOf(config)));
    const resources = { hash, recorder: this.#recorder, makeList: this.#makeList };
    const rates = new Map<string, RateZone>();
    for (const [name, rateLimit] of Object.entries(config.rateLimits)) {
      const former = this.#rates.get(name);
      rates.set(name, former?.remembersFor(rateLimit) ? former : this.#makeRate(name, rateLimit, resources));
    }
    const concurrency = new Map<string, ConcurrencyZone>();
    for (const [name, limit] of Object.entries(config.concurrencyLimits)) {
      const former = this.#concurrency.get(name);
      const stays = former?.remembersFor(limit) === true;
      concurrency.set(name, stays ? former : this.#makeConcurrency(name, limit, resources));
    }
    return {
      routeLimits: (names) => this.#routeLimits(names, rates, concurrency, config),
      use: (now) => {
        for (const [name, zone] of rates)
          zone.configure(config.rateLimits[name] as RateLimitConfig, now, config.workers);
        for (const [name, zone] of concurrency) {
          zone.configure(config.concurrencyLimits[name] as ConcurrencyLimitConfig, config.workers);
        }
        this.#rates = rates;
        this.#concurrency = concurrency;
      },
    };
  }

  #makeRate(name: string, config: RateLimitConfig, resources: ZoneResources): RateZone {
    const zone = new RateZone(name, config, resources);
    zone.onUrgent = () => this.onUrgent?.();
    zone.onDryRun = (context) => this.#refusals.log('rate', name, true, context);
    return zone;
  }

  #makeConcurrency(name: string, config: ConcurrencyLimitConfig, resources: ZoneResources): ConcurrencyZone {
    const zone = new ConcurrencyZone(name, config, resources);
    zone.onDryRun = (context) => this.#refusals.log('concurrency', name, true, context);
    return zone;
  }

  #routeLimits(
    { rateLimit, concurrencyLimit }: RouteLimitNames,
    rateZones: ReadonlyMap<string, RateZone>,
    concurrencyZones: ReadonlyMap<string, ConcurrencyZone>,
    config: LimitsConfig,
  ): RouteLimits | undefined {
    const rates = rateLimit.flatMap((name) => rateZones.get(name) ?? []);
    const concurrency = concurrencyLimit.flatMap((name) => concurrencyZones.get(name) ?? []);
    if (rates.length === 0 && concurrency.length === 0) return undefined;
    const telling = rates.filter(({ name }) => config.rateLimits[name]?.fields === 'all');
    return new RouteLimits({ rates, telling, concurrency }, this.#refusals);
  }
}

function secretOf({ limitSecret }: LimitsConfig): Uint8Array {
  return limitSecret === '' ? randomBytes(16) : Buffer.from(limitSecret, 'base64url');
}

/** Names of the zones that hold for a route. */
export interface RouteLimitNames {
  readonly rateLimit: readonly string[];
  readonly concurrencyLimit: readonly string[];
}

/** Zones that wait to be in force. */
export interface PreparedLimits {
  /** Undefined for a route without limits. */
  routeLimits(names: RouteLimitNames): RouteLimits | undefined;
  use(now: number): void;
}
