import type { FetchEnd } from '../cache/collapse/fetch-locks.ts';
import type { CacheLockAnswer, CacheLockCall, FollowedResponse, ToWorker } from '../ipc/message.ts';

/** A worker that can be told something. */
export interface LockClient {
  send(message: ToWorker): boolean;
}

/** One worker's call for a lock. */
interface Claim {
  readonly worker: number;
  readonly id: number;
}

interface Lock {
  readonly name: string;
  holder: Claim;
  readonly waiting: Claim[];
  /** What the holder gets, once it can be read along. */
  response: FollowedResponse | undefined;
  written: number;
  complete: boolean;
}

/** Keys that were stored a moment ago. */
const rememberedKeys = 10_000;

/**
 * Sees to it that what is in no store is fetched by one worker at a time for each key. Keeps no time: who waits too long
 * goes by itself, and the locks of a worker that dies go to the next.
 */
export class CacheLocks {
  private readonly clients = new Map<number, LockClient>();
  private readonly locks = new Map<string, Lock>();
  /** By worker and number: held or waited for. */
  private readonly claims = new Map<number, Map<number, Lock>>();
  /** When keys were stored, milliseconds since 1970, the oldest first. */
  private readonly stored = new Map<string, number>();

  get size(): number {
    return this.locks.size;
  }

  /** @param worker a number that no other worker has or had */
  told(client: LockClient, id: number, call: CacheLockCall, worker: number): void {
    this.clients.set(worker, client);
    if (call.kind === 'ask') return this.ask({ worker, id }, `${call.zone}\n${call.key}`, call.wait, call.lookedAt);
    const lock = this.claims.get(worker)?.get(id);
    if (lock === undefined) return;
    const isHolder = lock.holder.worker === worker && lock.holder.id === id;
    if (call.kind === 'end') return isHolder ? this.end(lock, call.end) : this.withdraw(lock, { worker, id });
    if (!isHolder) return;
    if (call.kind === 'offer') this.offered(lock, call.response);
    else this.progressed(lock, call.written, call.complete);
  }

  died(worker: number): void {
    this.clients.delete(worker);
    const locks = new Set(this.claims.get(worker)?.values());
    this.claims.delete(worker);
    for (const lock of locks) {
      for (let index = lock.waiting.length - 1; index >= 0; index--) {
        if (lock.waiting[index]?.worker === worker) lock.waiting.splice(index, 1);
      }
      if (lock.holder.worker === worker) this.pass(lock);
    }
  }

  private ask(claim: Claim, name: string, wait: boolean, lookedAt: number): void {
    const lock = this.locks.get(name);
    if (lock === undefined) {
      if ((this.stored.get(name) ?? -1) >= lookedAt) return this.answer(claim, { kind: 'stored' });
      const made = { name, holder: claim, waiting: [], response: undefined, written: 0, complete: false };
      this.locks.set(name, made);
      this.claim(claim, made);
      return this.answer(claim, { kind: 'granted' });
    }
    if (!wait) return this.answer(claim, { kind: 'busy' });
    lock.waiting.push(claim);
    this.claim(claim, lock);
    this.answer(claim, { kind: 'waits' });
    if (lock.response === undefined) {
      if (lock.waiting.length === 1) this.answer(lock.holder, { kind: 'wanted' });
      return;
    }
    this.answer(claim, { kind: 'following', response: { ...lock.response, written: lock.written } });
    if (lock.complete) this.answer(claim, { kind: 'progress', written: lock.written, complete: true });
  }

  private offered(lock: Lock, response: FollowedResponse): void {
    lock.response = response;
    lock.written = response.written;
    this.answerAll(lock, { kind: 'following', response });
  }

  private progressed(lock: Lock, written: number, complete: boolean): void {
    lock.written = written;
    lock.complete = complete;
    if (lock.response !== undefined) this.answerAll(lock, { kind: 'progress', written, complete });
  }

  private end(lock: Lock, end: FetchEnd): void {
    this.unclaim(lock.holder);
    if (end.how === 'failed') return this.pass(lock);
    if (end.how === 'stored') this.remember(lock.name);
    this.locks.delete(lock.name);
    for (const claim of lock.waiting) {
      this.unclaim(claim);
      this.answer(
        claim,
        end.how === 'stored' ? { kind: 'stored' } : { kind: 'uncacheable', rememberMs: end.rememberMs },
      );
    }
  }

  /** The next one has its turn. */
  private pass(lock: Lock): void {
    if (lock.response !== undefined && !lock.complete) this.answerAll(lock, { kind: 'lost' });
    lock.response = undefined;
    lock.written = 0;
    lock.complete = false;
    const next = lock.waiting.shift();
    if (next === undefined) {
      this.locks.delete(lock.name);
      return;
    }
    lock.holder = next;
    this.answer(next, { kind: 'granted' });
    if (lock.waiting.length > 0) this.answer(next, { kind: 'wanted' });
  }

  private withdraw(lock: Lock, claim: Claim): void {
    this.unclaim(claim);
    const index = lock.waiting.findIndex(({ worker, id }) => worker === claim.worker && id === claim.id);
    if (index >= 0) lock.waiting.splice(index, 1);
  }

  private remember(name: string): void {
    this.stored.delete(name);
    this.stored.set(name, Date.now());
    if (this.stored.size <= rememberedKeys) return;
    for (const oldest of this.stored.keys()) {
      this.stored.delete(oldest);
      return;
    }
  }

  private claim({ worker, id }: Claim, lock: Lock): void {
    let claims = this.claims.get(worker);
    if (claims === undefined) this.claims.set(worker, (claims = new Map()));
    claims.set(id, lock);
  }

  private unclaim({ worker, id }: Claim): void {
    this.claims.get(worker)?.delete(id);
  }

  private answerAll(lock: Lock, answer: CacheLockAnswer): void {
    for (const claim of lock.waiting) this.answer(claim, answer);
  }

  private answer({ worker, id }: Claim, answer: CacheLockAnswer): void {
    this.clients.get(worker)?.send({ type: 'cache-lock', id, answer });
  }
}
