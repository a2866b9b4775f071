import type { FollowedResponse } from '../../ipc/message.ts';
import type { InterceptedResponse, Takeover } from '../../proxy/response-interceptor.ts';
import type { PorticoError } from '../../response/portico-error.ts';
import { CacheUse } from '../cache-use.ts';
import type { CacheZone } from '../cache-zone.ts';
import { RequestTrait } from '../request-field.ts';
import type { StoreEntry } from '../response-store.ts';
import type { VaryMarker } from '../stored-response.ts';
import { upstreamRequest } from '../upstream-request.ts';
import { BackgroundExchange } from './background-exchange.ts';
import { FetchExchange } from './fetch-exchange.ts';
import type { FetchEnd, FetchLock, LockUser } from './fetch-locks.ts';
import { RemoteResponse } from './remote-response.ts';
import { ResponseIntake } from './response-intake.ts';

/** The primary says at once whose turn it is. Without a word for so long, milliseconds, it is not waited for. */
const lockAnswerMs = 1000;
/** How often what another worker has stored is looked for in vain, before it is fetched. */
const maxLooks = 3;

export interface FetchOptions {
  /** Whether others wait for it, here and in other workers. */
  readonly shared: boolean;
  /** Whether the response may be stored. */
  readonly stores: boolean;
  /** Whether the upstream gets the client's own conditions, because what it answers is for that client alone. */
  readonly passesConditions?: boolean;
}

/**
 * What one key is fetched by, for all requests of this worker that want it: looks in the store, waits for its turn among
 * the workers, asks the upstream once, and gives everybody the response as it comes. Ends exactly once.
 */
export class Fetch implements LockUser {
  readonly zone: CacheZone;
  storeKey: string;
  readonly options: FetchOptions;
  /** What is stored and has to be renewed. */
  stale: StoreEntry | undefined;
  /** Requests that wait for the response, or for their turn. */
  readonly waiting = new Set<CacheUse>();
  /** Others in other workers want the response. */
  wantedElsewhere = false;
  /** Milliseconds since 1970 when the upstream was asked. */
  sentAt = 0;
  private leader: CacheUse | undefined;
  /** The request for which it is renewed in the background. */
  private behind: CacheUse | undefined;
  private intake: ResponseIntake | undefined;
  private remote: RemoteResponse | undefined;
  private lock: FetchLock | undefined;
  private state: 'looking' | 'asking' | 'waiting' | 'fetching' | 'ended' = 'looking';
  private askedAt = 0;
  private looks = 0;

  constructor(zone: CacheZone, storeKey: string, options: FetchOptions) {
    this.zone = zone;
    this.storeKey = storeKey;
    this.options = options;
  }

  get isEnded(): boolean {
    return this.state === 'ended';
  }

  /** Begins for a request. */
  begin(use: CacheUse): void {
    this.wait(use);
    this.look();
  }

  /** Begins in the background. @param use the request that showed that it is needed, and was answered */
  beginBehind(use: CacheUse): void {
    // Now: when its turn comes, the client may have gone, and the engine may not know any more who it was.
    this.behind = backgroundUse(use);
    this.look();
  }

  /** Asks the upstream without looking or waiting. @param stale what may answer when it fails, or be confirmed */
  beginAlone(use: CacheUse, stale: StoreEntry | undefined): void {
    this.stale = stale;
    this.startFor(use);
  }

  /** Another request for the same. */
  join(use: CacheUse): void {
    use.collapsed = true;
    if (this.intake?.attach(use) === true || this.remote?.attach(use) === true) return;
    this.wait(use);
    // In the background nobody has waited for the lock.
    if (this.state === 'waiting' && this.lock === undefined) this.ask();
  }

  /** Requests that have waited long enough go by themselves. */
  expire(now: number): void {
    for (const use of this.waiting) {
      if (now < use.waitsUntil) continue;
      this.leave(use);
      use.route.alone(use, false);
    }
    if (this.state === 'asking' && now - this.askedAt > lockAnswerMs) this.granted();
    const isIdle = this.waiting.size === 0 && this.behind === undefined && (this.remote?.readerCount ?? 0) === 0;
    if (isIdle && this.state !== 'fetching') this.end({ how: 'failed' });
  }

  // --- the store ---

  private look(): void {
    this.state = 'looking';
    this.askedAt = Date.now();
    this.zone.store.find(this.storeKey, (found) => this.found(found));
  }

  private found(found: StoreEntry | VaryMarker | undefined): void {
    if (this.state !== 'looking') return;
    if (found !== undefined && 'names' in found) return this.varies(found);
    this.stale = found;
    if (found !== undefined) this.offer(found);
    if (this.waiting.size === 0 && this.behind === undefined) return this.end({ how: 'failed' });
    this.ask();
  }

  private varies(marker: VaryMarker): void {
    const uses = this.takeWaiting();
    this.end({ how: 'failed' });
    for (const use of uses) use.route.goOn(use, marker);
  }

  /** Answers whom it will do for. */
  private offer(entry: StoreEntry): void {
    const now = Date.now();
    for (const use of this.takeWaiting()) {
      if (!use.route.tryAnswer(use, entry, this.storeKey, now)) this.wait(use);
    }
    const { behind } = this;
    if (behind === undefined) return;
    const isFresh = !entry.purged && behind.route.answer.of(entry).freshUntil > now;
    if (isFresh) this.behind = undefined;
  }

  // --- the lock ---

  private ask(): void {
    if (!this.options.shared) return this.granted();
    const wait = this.waiting.size > 0;
    this.state = 'asking';
    const lookedAt = this.askedAt;
    this.askedAt = Date.now();
    const { locks } = this.zone.fetches;
    const lock = locks.ask(this.zone.name, this.storeKey, wait, lookedAt, this, () => this.wanted());
    // It may have been granted, and all be over, within the call.
    if (this.isEnded) lock.end({ how: 'failed' });
    else this.lock = lock;
  }

  granted(): void {
    if (this.state !== 'asking' && this.state !== 'waiting' && this.state !== 'looking') return;
    this.remote?.abort();
    this.remote = undefined;
    this.start();
  }

  waits(): void {
    if (this.state === 'asking') this.state = 'waiting';
  }

  busy(): void {
    if (this.state !== 'asking') return;
    this.lock = undefined;
    this.behind = undefined;
    if (this.waiting.size > 0) this.ask();
    else this.end({ how: 'failed' });
  }

  following(response: FollowedResponse): void {
    if (this.state === 'fetching' || this.isEnded) return;
    this.state = 'waiting';
    const remote = RemoteResponse.open(response);
    if (remote === undefined) return;
    this.remote = remote;
    for (const use of this.takeWaiting()) if (!remote.attach(use)) this.wait(use);
  }

  progressed(written: number, complete: boolean): void {
    this.remote?.progressed(written, complete);
  }

  stored(): void {
    if (this.state === 'fetching' || this.isEnded) return;
    this.lock = undefined;
    if (this.waiting.size === 0 && this.behind === undefined) return this.end({ how: 'failed' });
    if (++this.looks < maxLooks) return this.look();
    this.releaseAll();
    this.end({ how: 'failed' });
  }

  uncacheable(rememberMs: number): void {
    if (this.state === 'fetching' || this.isEnded) return;
    this.lock = undefined;
    this.zone.fetches.rememberUncacheable(this.storeKey, rememberMs);
    this.releaseAll();
    this.end({ how: 'failed' });
  }

  lost(): void {
    this.remote?.abort();
    this.remote = undefined;
  }

  private wanted(): void {
    this.wantedElsewhere = true;
    this.intake?.share();
  }

  // --- the upstream ---

  private start(): void {
    for (const use of this.waiting) {
      this.leave(use);
      if (!use.exchange.aborted) return this.startFor(use);
    }
    const { behind } = this;
    this.behind = undefined;
    if (behind === undefined) this.end({ how: 'failed' });
    else this.startFor(behind);
  }

  private startFor(use: CacheUse): void {
    const { context, route, exchange } = use;
    this.state = 'fetching';
    this.leader = use;
    this.sentAt = Date.now();
    use.fetch = this;
    use.collapsed = false;
    context.cache = use;
    context.exchange = new FetchExchange(
      exchange,
      upstreamRequest(exchange.head, route.rules, this.stale?.response, this.options.passesConditions),
      () => this.leaderGone(),
    );
    context.rescue = (error) => this.failed(use, error);
    route.next.handle(context);
  }

  /** A response has come, and nothing of it was looked at. @returns what answers in its place */
  confirm(response: InterceptedResponse, use: CacheUse): Takeover | undefined {
    if (this.leader !== use || this.isEnded) return undefined;
    this.intake = new ResponseIntake(this, use);
    return this.intake.confirm(response);
  }

  /** It is what the client gets; stores it, and gives it to all who wait. */
  take(response: InterceptedResponse, use: CacheUse): void {
    if (this.leader === use && !this.isEnded) this.intake?.take(response);
  }

  /** Something else answers in its place, for this client alone. */
  refused(): void {
    this.zone.fetches.rememberUncacheable(this.storeKey, refusedMs);
    this.releaseAll();
    this.end({ how: 'uncacheable', rememberMs: refusedMs });
  }

  /** What is stored is none of what the upstream has: asks once more, without conditions. */
  startAnew(use: CacheUse): void {
    this.stale = undefined;
    this.intake = undefined;
    use.takeBack();
    this.startFor(use);
  }

  /** @returns whether the request goes on without the client that asked */
  private leaderGone(): boolean {
    const { intake } = this;
    const goesOn = !this.isEnded && (intake?.leaderGone() ?? (this.waiting.size > 0 || this.wantedElsewhere));
    if (!goesOn && !this.isEnded) {
      this.intake?.abort();
      this.end({ how: 'failed' });
    }
    return goesOn;
  }

  /** @returns whether the client was answered */
  private failed(use: CacheUse, _error: PorticoError): boolean {
    if (this.leader !== use || this.isEnded) return false;
    const { intake, stale } = this;
    const isGone = use.exchange.aborted;
    const hasAnswer = intake?.hasAnsweredLeader === true;
    for (const again of intake?.abort() ?? []) this.wait(again);
    this.intake = undefined;
    this.leader = undefined;
    const now = Date.now();
    if (stale !== undefined) this.answerStale(stale, now, undefined);
    const rescued = stale !== undefined && use.onErrorUntil > now && !use.exchange.responded && !isGone;
    if (rescued) {
      use.takeBack();
      use.route.answerStale(use, stale, undefined);
    } else {
      use.route.counted(use);
    }
    this.next();
    return rescued || isGone || hasAnswer;
  }

  /** Answers all who may be answered so, because the upstream has failed. */
  answerStale(stale: StoreEntry, now: number, status: number | undefined): void {
    this.zone.fetches.rememberFailure(this.storeKey);
    for (const use of this.takeWaiting()) {
      use.collapsed = true;
      if (use.onErrorUntil > now) use.route.answerStale(use, stale, status);
      else this.wait(use);
    }
  }

  /** The next one tries, once this one is out of the way. */
  private next(): void {
    if (this.waiting.size === 0 && !this.wantedElsewhere) return this.end({ how: 'failed' });
    this.state = 'asking';
    this.askedAt = Date.now();
    setImmediate(() => {
      if (this.state !== 'asking') return;
      if (this.waiting.size > 0) this.start();
      else this.end({ how: 'failed' });
    });
  }

  // --- those who wait ---

  /** Gives a request its own way: nobody waits any more. */
  releaseAll(): void {
    for (const use of this.takeWaiting()) use.route.alone(use, true);
  }

  wait(use: CacheUse): void {
    this.waiting.add(use);
    use.exchange.onAborted = () => this.waiting.delete(use);
  }

  leave(use: CacheUse): void {
    this.waiting.delete(use);
    use.exchange.onAborted = undefined;
  }

  takeWaiting(): CacheUse[] {
    const uses = [...this.waiting];
    for (const use of uses) this.leave(use);
    return uses;
  }

  /** The response is stored under another key: its variant. */
  rename(storeKey: string): void {
    if (storeKey === this.storeKey) return;
    if (this.options.shared) this.zone.fetches.renamed(this, this.storeKey, storeKey);
    this.storeKey = storeKey;
  }

  offerElsewhere(response: FollowedResponse): void {
    this.lock?.offer(response);
  }

  progressedElsewhere(written: number, complete: boolean): void {
    this.lock?.progressed(written, complete);
  }

  end(end: FetchEnd): void {
    if (this.isEnded) return;
    this.state = 'ended';
    if (this.options.shared) this.zone.fetches.ended(this, this.storeKey);
    this.lock?.end(end);
    this.lock = undefined;
    // Nobody should be left; whoever is goes by itself.
    this.releaseAll();
  }
}

/** For so long nobody waits for responses in the place of which something else answers. */
const refusedMs = 10_000;

/** The request that is made in the background after another one: the same, and nobody waits for it. */
function backgroundUse({ context, exchange, route, key, traits }: CacheUse): CacheUse {
  const made = route.repeat(context, new BackgroundExchange(exchange, exchange.head));
  const use = new CacheUse(made, route, key, traits & ~RequestTrait.conditions);
  use.forwarded = 'stale';
  return use;
}
