import type { CacheResult, CacheTrace, RequestContext } from '../request/request-context.ts';
import { respondError } from '../response/error-response.ts';
import { PorticoError } from '../response/portico-error.ts';
import type { Handler } from '../route/route.ts';
import type { ReadBufferPool } from '../static/read-buffer-pool.ts';
import { CacheBypass } from './cache-bypass.ts';
import { CacheGlance } from './cache-glance.ts';
import { CacheKey, variantKey } from './cache-key.ts';
import type { CacheRules } from './cache-rules.ts';
import type { CacheOutcome, ForwardReason } from './cache-status.ts';
import { CacheUse } from './cache-use.ts';
import type { CacheZone } from './cache-zone.ts';
import type { CachedRoute, CachedRouteConfig, RepeatRequest } from './cached-route.ts';
import { Fetch } from './collapse/fetch.ts';
import { EntryAnswer } from './entry-answer.ts';
import { markedStale } from './policy/renewal.ts';
import { judgeReuse, type Reuse, wantsOnlyStored } from './policy/reuse.ts';
import { variantOf } from './policy/variant.ts';
import { RequestTrait, requestTraits } from './request-field.ts';
import type { StoreEntry } from './response-store.ts';
import type { VaryMarker } from './stored-response.ts';

/** How many markers lead from one to the next: what is stored may change meanwhile, but not for ever. */
const maxMarkers = 3;

/** Answers requests with stored responses as far as it may, and has the rest fetched. */
export class CacheHandler implements Handler, CachedRoute {
  readonly rules: CacheRules;
  readonly zone: CacheZone;
  readonly answer: EntryAnswer;
  readonly buffers: ReadBufferPool;
  readonly next: Handler;
  readonly repeat: RepeatRequest;
  private readonly key: CacheKey;
  private readonly bypass: CacheBypass;
  private readonly glances: CacheGlance;
  /** What the log is told of plain hits, and of requests that go past the cache; the same for all. */
  private readonly hit: CacheTrace;

  constructor(config: CachedRouteConfig, zone: CacheZone, buffers: ReadBufferPool, next: Handler) {
    const { rules } = config;
    this.rules = rules;
    this.zone = zone;
    this.key = new CacheKey(rules.key);
    this.bypass = new CacheBypass(rules.bypass);
    this.answer = new EntryAnswer(config, zone, buffers, (context) => this.entryGone(context));
    this.glances = new CacheGlance(rules, this.key, this.bypass, zone.store, this.answer);
    this.buffers = buffers;
    this.next = next;
    this.repeat = config.repeat;
    this.hit = Object.freeze({ zone: zone.name, result: 'hit', collapsed: false });
  }

  /** Answers plain hits from memory, compressed ones too. */
  glance(context: RequestContext): boolean {
    if (!this.glances.tryAnswer(context)) return false;
    context.cache = this.hit;
    this.zone.metrics.count('hit');
    return true;
  }

  handle(context: RequestContext): void {
    const { exchange } = context;
    const { head } = exchange;
    const { method } = head;
    if ((method !== 'GET' && method !== 'HEAD') || exchange.body.declaredLength !== 0) {
      return this.pass(new CacheUse(context, this, this.key.of(context), 0), 'method');
    }
    // What becomes a tunnel is no response, and of one client alone.
    if (context.upgrade !== undefined) return this.pass(new CacheUse(context, this, this.key.of(context), 0), 'bypass');
    const traits = requestTraits(head);
    const key = this.key.of(context);
    if (this.bypass.concerns(head) || (traits & RequestTrait.originCondition) !== 0) {
      return this.pass(new CacheUse(context, this, key, traits), 'bypass');
    }
    let storeKey = key;
    let found = this.zone.store.peek(key);
    if (found !== undefined && 'names' in found) {
      storeKey = variantKey(key, variantOf(found.names, head.fields, this.rules.normalizeVary));
      found = this.zone.store.peek(storeKey);
    }
    const now = Date.now();
    if (found === undefined || 'names' in found) {
      const use = new CacheUse(context, this, key, traits);
      if (storeKey !== key) use.forwarded = 'vary-miss';
      return this.look(use, storeKey, now);
    }
    if (this.isPlainHit(found, traits, now)) {
      context.cache = this.hit;
      this.zone.metrics.count('hit');
      return this.answer.send(context, found, undefined, traits, now);
    }
    const use = new CacheUse(context, this, key, traits);
    if (!this.tryAnswer(use, found, storeKey, now)) this.look(use, storeKey, now);
  }

  tryAnswer(use: CacheUse, entry: StoreEntry, storeKey: string, now: number): boolean {
    const { context, exchange } = use;
    const response = entry.purged ? markedStale(entry.response, now) : entry.response;
    const reuse = judgeReuse(response, exchange.head, this.rules, now);
    switch (reuse.verdict) {
      case 'fresh':
        this.sendAs(use, entry, 'hit', now);
        return true;
      case 'stale':
        this.sendAs(use, entry, 'stale', now);
        return true;
      case 'stale-while-revalidate':
        this.sendAs(use, entry, 'stale', now);
        this.zone.fetches.refresh(this.zone, use, storeKey, now);
        return true;
      case 'fetch':
        use.forwarded = 'request';
        this.alone(use, true);
        return true;
      case 'gateway-timeout':
        respondError(context, new PorticoError('only_if_cached', 'what is stored cannot be used'));
        return true;
      case 'revalidate':
        return this.answeredWhileFailing(use, entry, reuse, storeKey, now);
    }
  }

  goOn(use: CacheUse, { names }: Pick<VaryMarker, 'names'>): void {
    const { head } = use.exchange;
    const storeKey = variantKey(use.key, variantOf(names, head.fields, this.rules.normalizeVary));
    const now = Date.now();
    use.forwarded = 'vary-miss';
    if (++use.markers > maxMarkers) return this.alone(use, true);
    const found = this.zone.store.peek(storeKey);
    if (found === undefined || 'names' in found || !this.tryAnswer(use, found, storeKey, now)) {
      this.zone.fetches.join(this.zone, use, storeKey, now);
    }
  }

  alone(use: CacheUse, stores: boolean): void {
    this.counted(use);
    new Fetch(this.zone, use.key, { shared: false, stores }).beginAlone(use, undefined);
  }

  answerStale(use: CacheUse, entry: StoreEntry, status: number | 'unasked' | undefined): void {
    const now = Date.now();
    use.result = 'stale';
    this.counted(use);
    const { forwarded, collapsed } = use;
    const outcome: CacheOutcome =
      status === 'unasked'
        ? { hit: true, detail: 'stale-if-error' }
        : { hit: false, forwarded, forwardStatus: status, detail: 'stale-if-error', collapsed };
    this.answer.send(use.context, entry, outcome, use.traits, now);
  }

  answerRenewed(use: CacheUse, entry: StoreEntry): void {
    const now = Date.now();
    use.result = 'revalidated';
    this.counted(use);
    const { forwarded, collapsed } = use;
    this.answer.send(use.context, entry, { hit: false, forwarded, forwardStatus: 304, collapsed }, use.traits, now);
  }

  /** Asks the upstream past the cache. */
  pass(use: CacheUse, forwarded: ForwardReason): void {
    use.forwarded = forwarded;
    use.result = 'bypass';
    this.counted(use);
    this.next.handle(use.context);
  }

  /** The hottest question: whether there is nothing to think about. */
  private isPlainHit(entry: StoreEntry, traits: number, now: number): boolean {
    if (entry.purged || this.rules.obeyRequest) return false;
    const heads = this.answer.of(entry);
    return now < heads.freshUntil && ((traits & RequestTrait.authorization) === 0 || heads.answersAuthorized);
  }

  /** What memory does not have, or not fresh. */
  private look(use: CacheUse, storeKey: string, now: number): void {
    const { context, exchange, traits } = use;
    const { zone } = this;
    if (exchange.head.method === 'HEAD' || (traits & (RequestTrait.authorization | RequestTrait.range)) !== 0) {
      return this.lookAlone(use, storeKey, now);
    }
    if (wantsOnlyStored(exchange.head, this.rules)) return this.lookAlone(use, storeKey, now);
    context.cache = use;
    zone.fetches.join(zone, use, storeKey, now);
  }

  /** For requests that cannot share what is fetched: parts, heads, and what is meant for one alone. */
  private lookAlone(use: CacheUse, storeKey: string, now: number): void {
    const { context, exchange } = use;
    context.cache = use;
    let isGone = false;
    exchange.onAborted = () => (isGone = true);
    this.zone.store.find(storeKey, (found) => {
      if (isGone) return;
      exchange.onAborted = undefined;
      if (found === undefined) return this.passUnstored(use);
      if (!('names' in found)) {
        if (this.tryAnswer(use, found, storeKey, now)) return;
        if (exchange.head.method === 'HEAD') use.stored = { entry: found, storeKey };
        return this.passUnstored(use);
      }
      use.forwarded = 'vary-miss';
      if (++use.markers > maxMarkers) return this.passUnstored(use);
      const variant = variantOf(found.names, exchange.head.fields, this.rules.normalizeVary);
      this.lookAlone(use, variantKey(use.key, variant), now);
    });
  }

  private passUnstored(use: CacheUse): void {
    const { context, exchange, traits } = use;
    if (wantsOnlyStored(exchange.head, this.rules)) {
      return respondError(context, new PorticoError('only_if_cached', 'nothing is stored'));
    }
    const isWhole = exchange.head.method === 'GET' && (traits & RequestTrait.range) === 0;
    if (isWhole) return this.alone(use, true);
    if ((traits & RequestTrait.range) !== 0) use.forwarded = 'partial';
    this.counted(use);
    this.next.handle(context);
  }

  private answeredWhileFailing(use: CacheUse, entry: StoreEntry, reuse: Reuse, storeKey: string, now: number): boolean {
    use.forwarded = reuse.reason.startsWith('request-') ? 'request' : 'stale';
    use.result = 'expired';
    use.onErrorUntil = reuse.onErrorUntil;
    if (use.forwarded === 'request' || reuse.onErrorUntil <= now) return false;
    if (!this.zone.fetches.isFailing(storeKey, now)) return false;
    this.answerStale(use, entry, 'unasked');
    return true;
  }

  private sendAs(use: CacheUse, entry: StoreEntry, result: CacheResult, now: number): void {
    use.result = result;
    this.counted(use);
    this.answer.send(use.context, entry, use.collapsed ? { hit: true, collapsed: true } : undefined, use.traits, now);
  }

  /** What was found could not be read: as if nothing had been found. */
  private entryGone(context: RequestContext): void {
    const key = this.key.of(context);
    this.alone(new CacheUse(context, this, key, requestTraits(context.exchange.head)), true);
  }

  counted(use: CacheUse): void {
    use.context.cache = use;
    if (use.isCounted) return;
    use.isCounted = true;
    this.zone.metrics.count(use.result);
    if (use.collapsed) this.zone.metrics.collapsed.add(1);
  }
}
