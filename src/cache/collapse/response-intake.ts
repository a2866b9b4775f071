import type { InterceptedResponse, Takeover } from '../../proxy/response-interceptor.ts';
import { valueOfLine } from '../../response/field-lines.ts';
import { variantKey } from '../cache-key.ts';
import type { CacheUse } from '../cache-use.ts';
import { EntryHeads } from '../entry-heads.ts';
import type { ExchangeTimes } from '../policy/received-response.ts';
import { renewStored } from '../policy/renewal.ts';
import { mayAnswerWaiting } from '../policy/reuse.ts';
import { judgeStorage, type StorageDecision } from '../policy/storage.ts';
import { evaluateClientConditions } from '../policy/validation.ts';
import { variantOf } from '../policy/variant.ts';
import { appendReceivedAge } from '../received-age.ts';
import { RenewedEntry } from '../renewed-entry.ts';
import { RequestTrait } from '../request-field.ts';
import type { StoreEntry } from '../response-store.ts';
import type { StoredResponse } from '../stored-response.ts';
import type { BodyReader } from './body-reader.ts';
import type { Fetch } from './fetch.ts';
import { LiveResponse } from './live-response.ts';

type Storable = Extract<StorageDecision, { readonly store: true }>;
type Described = Omit<StoredResponse, 'bodyLength'>;

/** RFC 5861 section 4: with these an upstream fails. */
const failures: ReadonlySet<number> = new Set([500, 502, 503, 504]);

/** What comes of one response from upstream: what is stored is confirmed, or this one is stored and given to all who wait. */
export class ResponseIntake {
  /** The client that asked has what it needs: it knows the response already. */
  hasAnsweredLeader = false;
  private readonly fetch: Fetch;
  private readonly use: CacheUse;
  private live: LiveResponse | undefined;
  private described: Described | undefined;
  private varyNames: readonly string[] = [];
  private heads: EntryHeads | undefined;
  private readonly readers = new Map<CacheUse, BodyReader>();
  private offered = false;

  constructor(fetch: Fetch, use: CacheUse) {
    this.fetch = fetch;
    this.use = use;
  }

  /** @returns what answers in the place of the response: what is stored, as it was confirmed, or because the upstream fails */
  confirm(response: InterceptedResponse): Takeover | undefined {
    const { fetch, use } = this;
    const { stale } = fetch;
    if (stale === undefined) return undefined;
    if (response.status === 304) return this.renew(response, stale);
    const now = Date.now();
    if (!failures.has(response.status) || use.onErrorUntil <= now) return undefined;
    const { status } = response;
    fetch.answerStale(stale, now, status);
    fetch.end({ how: 'failed' });
    return () => {
      use.takeBack();
      use.route.answerStale(use, stale, status);
    };
  }

  /** Decides what becomes of a response that the client gets. */
  take(response: InterceptedResponse): void {
    const { use } = this;
    const { rules, answer } = use.route;
    use.route.counted(use);
    const times = this.times();
    const { status, block, directives } = response;
    const origin = block.view().subarray(0, response.originBytes);
    const decision = judgeStorage(use.exchange.head, { status, block: origin, directives }, rules, times);
    const stored = decision.store && this.mayStore(response, origin) ? this.describe(decision) : undefined;
    if (stored === undefined) {
      const { forwarded } = use;
      appendReceivedAge(response);
      block.appendText(answer.linesFor({ hit: false, forwarded, ...this.forwardStatus(status) }));
      return this.release(decision.store ? notStoredMs : decision.rememberMs, status);
    }
    this.keep(response, stored, decision as Storable);
  }

  /** Another client wants it. @returns false when it has to wait: for the head, or where it wants a part for the whole */
  attach(use: CacheUse): boolean {
    const { live, described, heads } = this;
    if (live === undefined || described === undefined || heads === undefined) return false;
    if ((use.traits & RequestTrait.range) !== 0) return false;
    const now = Date.now();
    // RFC 9111 section 5.2.2.4: what must be validated before each use answers only the request that it was made for.
    if (!mayAnswerWaiting(described, use.exchange.head, use.route.rules, now)) {
      use.exchange.onAborted = undefined;
      use.route.alone(use, false);
      return true;
    }
    const outcome = { hit: false, forwarded: use.forwarded, collapsed: true } as const;
    use.collapsed = true;
    if (isKnown(use, described, now)) {
      use.exchange.onAborted = undefined;
      this.counted(use);
      use.exchange.respondHead(heads.notModified(now, outcome), undefined);
      return true;
    }
    const route = use.route.answer.headsOf({ ...described, bodyLength: 0 });
    const reader = live.attach(use.exchange, route.whole(now, outcome));
    if (reader === undefined) {
      // A part has come and gone.
      use.exchange.onAborted = undefined;
      use.collapsed = false;
      use.route.alone(use, false);
      return true;
    }
    this.counted(use);
    this.readers.set(use, reader);
    use.exchange.onAborted = () => this.readerGone(use, reader);
    return true;
  }

  /** Others in other workers want it. */
  share(): void {
    this.live?.share();
    this.offer();
  }

  /** @returns whether it goes on; undefined when nothing is decided yet */
  leaderGone(): boolean | undefined {
    const { live } = this;
    if (live === undefined) return undefined;
    live.leaderGone();
    return live.isStored || live.readerCount > 0;
  }

  /** It cannot be completed. @returns those who have got nothing of it yet */
  abort(): CacheUse[] {
    const unserved = [...this.readers].filter(([, reader]) => !reader.hasBegun);
    for (const [use, reader] of unserved) {
      reader.close();
      this.readers.delete(use);
    }
    this.live?.abort();
    this.live = undefined;
    return unserved.map(([use]) => use);
  }

  private renew(response: InterceptedResponse, stale: StoreEntry): Takeover {
    const { fetch, use } = this;
    const { store } = fetch.zone;
    const { block, directives } = response;
    const received = { status: 304, block: block.view().subarray(0, response.originBytes), directives };
    const renewal = renewStored(stale.response, received, use.route.rules, this.times());
    if (renewal.kind === 'mismatch') {
      store.remove(fetch.storeKey);
      return () => fetch.startAnew(use);
    }
    const entry = new RenewedEntry(stale, renewal.response);
    if (renewal.kind === 'renewed') store.renew(fetch.storeKey, stale, renewal.response);
    else store.remove(fetch.storeKey);
    const now = Date.now();
    for (const waiting of fetch.takeWaiting()) {
      const { exchange, route } = waiting;
      waiting.collapsed = mayAnswerWaiting(entry.response, exchange.head, route.rules, now);
      if (waiting.collapsed) route.answerRenewed(waiting, entry);
      else route.alone(waiting, false);
    }
    fetch.end(renewal.kind === 'renewed' ? { how: 'stored' } : { how: 'failed' });
    return () => {
      use.takeBack();
      use.route.answerRenewed(use, entry);
    };
  }

  private times(): ExchangeTimes {
    const responseTime = Date.now();
    const { headMs } = this.use.context.upstream ?? {};
    const requestTime = headMs === undefined ? this.fetch.sentAt : Math.floor(responseTime - headMs);
    return { requestTime, responseTime };
  }

  private mayStore(response: InterceptedResponse, block: Buffer): boolean {
    const { options } = this.fetch;
    const { contentLength = 0 } = response;
    if (!options.stores || contentLength > this.use.route.rules.maxEntry) return false;
    // What has no end is not worth beginning.
    return (
      response.contentLength !== undefined ||
      valueOfLine(block, 'content-type')?.startsWith('text/event-stream') !== true
    );
  }

  /** Under which key, and as which variant. */
  private describe({ response, varyNames }: Storable): Described | undefined {
    const { use, fetch } = this;
    const { normalizeVary } = use.route.rules;
    const variant = variantOf(varyNames, use.exchange.head.fields, normalizeVary);
    if (!fetch.zone.fetches.variants.admits(use.key, variant, response.responseTime)) return undefined;
    return { ...response, key: use.key, variant };
  }

  private keep(response: InterceptedResponse, described: Described, { varyNames }: Storable): void {
    const { fetch, use } = this;
    const { zone } = fetch;
    const { rules, answer, buffers } = use.route;
    const { key, variant, requestTime } = described;
    if (varyNames.length > 0) zone.store.mark(key, { key, names: varyNames, requestTime });
    fetch.rename(varyNames.length === 0 ? key : variantKey(key, variant));
    zone.fetches.forgetUncacheable(key);
    this.described = described;
    this.varyNames = varyNames;
    this.heads = answer.headsOf({ ...described, bodyLength: 0 });
    const length = response.bodiless ? 0 : response.contentLength;
    const writer = zone.store.begin(fetch.storeKey, described, length);
    const { forwarded, exchange } = use;
    const outcome = {
      hit: false,
      forwarded,
      ...this.forwardStatus(response.status),
      stored: writer !== undefined,
    } as const;
    const now = Date.now();
    let sink: InterceptedResponse['sink'] | undefined = response.sink;
    if (isKnown(use, described, now) && !exchange.aborted) {
      this.hasAnsweredLeader = true;
      exchange.respondHead(this.heads.notModified(now, outcome), undefined);
      sink = undefined;
    } else {
      this.appendTrace(response, described, outcome, now);
    }
    this.live = new LiveResponse(sink, writer, rules.maxEntry, buffers, {
      complete: (entry) => this.completed(entry),
      storeSlow: () => zone.metrics.slow.add(1),
      progressed: () => this.progressed(),
    });
    response.sink = this.live;
    this.serveWaiting(variant);
    if (fetch.wantedElsewhere) this.share();
  }

  private appendTrace(
    { block }: InterceptedResponse,
    described: Described,
    outcome: Parameters<typeof EntryHeads.traceLines>[0],
    now: number,
  ): void {
    const age = Math.floor((described.initialAge + now - described.responseTime) / 1000);
    if (age > 0) block.appendText(`\r\nAge: ${age}`);
    block.appendText(this.use.route.answer.linesFor(outcome));
  }

  /** Those who select the same get it, too; the others look for theirs. */
  private serveWaiting(variant: string): void {
    const { fetch, varyNames } = this;
    const { key } = this.use;
    const marker = { key, names: varyNames, requestTime: 0 };
    for (const use of fetch.takeWaiting()) {
      const own = variantOf(varyNames, use.exchange.head.fields, use.route.rules.normalizeVary);
      if (own !== variant) use.route.goOn(use, marker);
      else if (!this.attach(use)) fetch.wait(use);
    }
  }

  private completed(entry: StoreEntry | undefined): void {
    const { fetch } = this;
    fetch.progressedElsewhere(this.live?.received ?? 0, true);
    if (entry !== undefined) {
      const now = Date.now();
      for (const use of fetch.takeWaiting()) {
        if (!use.route.tryAnswer(use, entry, fetch.storeKey, now)) use.route.alone(use, false);
      }
    }
    fetch.end(entry === undefined ? { how: 'failed' } : { how: 'stored' });
  }

  private release(rememberMs: number, status: number): void {
    const { fetch } = this;
    const { zone, storeKey, stale } = fetch;
    // A 304 to a client's own condition says nothing about the response that it has.
    if (status !== 304) zone.fetches.rememberUncacheable(storeKey, rememberMs);
    // What was stored is not what the upstream says now; an error says nothing about it.
    if (stale !== undefined && status < 500 && rememberMs > 0) zone.store.remove(storeKey);
    fetch.releaseAll();
    fetch.end({ how: 'uncacheable', rememberMs });
  }

  private progressed(): void {
    this.offer();
    const stored = this.live?.stored;
    if (this.offered && stored !== undefined) this.fetch.progressedElsewhere(stored.written, false);
  }

  /** Tells other workers where they can read along, as soon as there is a file. */
  private offer(): void {
    const { live, described, fetch, varyNames } = this;
    const stored = live?.stored;
    if (this.offered || !fetch.wantedElsewhere || stored === undefined || described === undefined) return;
    this.offered = true;
    const { path, bodyOffset, written } = stored;
    fetch.offerElsewhere({ response: described, varyNames, file: { path, bodyOffset }, written, length: live?.length });
  }

  private readerGone(use: CacheUse, reader: BodyReader): void {
    this.readers.delete(use);
    reader.close();
  }

  private counted(use: CacheUse): void {
    use.result = this.use.result;
    use.route.counted(use);
  }

  private forwardStatus(status: number): { readonly forwardStatus?: number } {
    return this.use.forwarded === 'stale' ? { forwardStatus: status } : {};
  }
}

/** For so long nobody waits for a response that is stored nowhere although it might be. */
const notStoredMs = 1000;

function isKnown(use: CacheUse, response: Described, now: number): boolean {
  if ((use.traits & RequestTrait.validation) === 0) return false;
  return evaluateClientConditions(response, use.exchange.head.fields, now / 1000) === 'not-modified';
}
