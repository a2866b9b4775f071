import type { CacheUse } from '../cache-use.ts';
import type { CacheZone } from '../cache-zone.ts';
import { Fetch } from './fetch.ts';
import type { FetchLocks } from './fetch-locks.ts';
import { RecentKeys } from './recent-keys.ts';
import { VariantBound } from './variant-bound.ts';

/** How exactly the waits of requests are kept, milliseconds. */
const sweepMs = 50;
/** Keys that are remembered for a while. */
const rememberedKeys = 10_000;
/** For so long an upstream that has failed is not asked again for what may be answered stale. */
const failureMs = 1000;
/** For so long what was just tried to be renewed in the background is not tried again. */
const restMs = 1000;

/** Who fetches what for one zone in this worker. */
export class ZoneFetches {
  readonly variants = new VariantBound();
  readonly locks: FetchLocks;
  private readonly fetches = new Map<string, Fetch>();
  private readonly uncacheable = new RecentKeys(rememberedKeys);
  private readonly failing = new RecentKeys(rememberedKeys);
  private readonly resting = new RecentKeys(rememberedKeys);
  private sweeper: NodeJS.Timeout | undefined;

  constructor(locks: FetchLocks) {
    this.locks = locks;
  }

  /** Keys that are fetched now. */
  get size(): number {
    return this.fetches.size;
  }

  /** Waits for whoever fetches that key, or does it. */
  join(zone: CacheZone, use: CacheUse, storeKey: string, now: number): void {
    const { rules } = use.route;
    const passesConditions = this.uncacheable.has(storeKey, now);
    if (rules.collapse === 0 || passesConditions) {
      return new Fetch(zone, storeKey, { shared: false, stores: true, passesConditions }).begin(use);
    }
    if (use.waitsUntil === 0) use.waitsUntil = now + rules.collapse;
    else if (now >= use.waitsUntil) return use.route.alone(use, false);
    const fetch = this.fetches.get(storeKey);
    if (fetch !== undefined) return fetch.join(use);
    const begun = new Fetch(zone, storeKey, { shared: true, stores: true });
    this.fetches.set(storeKey, begun);
    this.sweep();
    begun.begin(use);
  }

  /** Renews what was answered stale, in the background: one fetch a key. @param use the request that was answered */
  refresh(zone: CacheZone, use: CacheUse, storeKey: string, now: number): void {
    if (this.fetches.has(storeKey) || this.resting.has(storeKey, now)) return;
    this.resting.add(storeKey, now + restMs);
    const begun = new Fetch(zone, storeKey, { shared: true, stores: true });
    this.fetches.set(storeKey, begun);
    this.sweep();
    begun.beginBehind(use);
  }

  /** The response is stored under another key than was asked for: those who come from now on look for that one. */
  renamed(fetch: Fetch, former: string, storeKey: string): void {
    this.ended(fetch, former);
    if (this.fetches.has(storeKey)) return;
    this.fetches.set(storeKey, fetch);
    this.sweep();
  }

  ended(fetch: Fetch, storeKey: string): void {
    if (this.fetches.get(storeKey) === fetch) this.fetches.delete(storeKey);
    if (this.fetches.size > 0 || this.sweeper === undefined) return;
    clearInterval(this.sweeper);
    this.sweeper = undefined;
  }

  /** Responses to that key are not stored: for so long nobody waits for another. */
  rememberUncacheable(storeKey: string, ms: number): void {
    if (ms > 0) this.uncacheable.add(storeKey, Date.now() + ms);
  }

  forgetUncacheable(storeKey: string): void {
    this.uncacheable.delete(storeKey);
  }

  rememberFailure(storeKey: string): void {
    this.failing.add(storeKey, Date.now() + failureMs);
  }

  /** Whether the upstream has failed a moment ago for that key. */
  isFailing(storeKey: string, now: number): boolean {
    return this.failing.has(storeKey, now);
  }

  close(): void {
    clearInterval(this.sweeper);
    this.sweeper = undefined;
  }

  private sweep(): void {
    this.sweeper ??= setInterval(() => {
      const now = Date.now();
      for (const fetch of this.fetches.values()) fetch.expire(now);
    }, sweepMs).unref();
  }
}
