import type { CacheLockAnswer, CacheLockCall, ToPrimary } from '../../ipc/message.ts';
import type { FetchLock, FetchLocks, LockUser } from './fetch-locks.ts';
import { unsharedLocks } from './fetch-locks.ts';

/** How often at most others are told how far a body has come, milliseconds. */
const progressMs = 10;

/** The worker's end of the locks that the primary keeps. */
export class PrimaryLocks implements FetchLocks {
  /** Whether there are other workers. Without any, nobody has to be asked. */
  isShared = true;
  private readonly send: (message: ToPrimary) => void;
  private readonly locks = new Map<number, SharedLock>();
  private nextId = 1;

  constructor(send: (message: ToPrimary) => void) {
    this.send = send;
  }

  ask(zone: string, storeKey: string, wait: boolean, lookedAt: number, user: LockUser, wanted: () => void): FetchLock {
    if (!this.isShared) return unsharedLocks.ask(zone, storeKey, wait, lookedAt, user, wanted);
    const id = this.nextId++;
    const call = (said: CacheLockCall): void => this.send({ type: 'cache-lock', id, call: said });
    const lock = new SharedLock(user, wanted, call, () => this.locks.delete(id));
    this.locks.set(id, lock);
    call({ kind: 'ask', zone, key: storeKey, wait, lookedAt });
    return lock;
  }

  /** What the primary says about one. One that is not wanted any more was given back already. */
  receive(id: number, answer: CacheLockAnswer): void {
    this.locks.get(id)?.receive(answer);
  }
}

class SharedLock implements FetchLock {
  private readonly user: LockUser;
  private readonly wanted: () => void;
  private readonly call: (call: CacheLockCall) => void;
  private readonly forget: () => void;
  private written = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(user: LockUser, wanted: () => void, call: (call: CacheLockCall) => void, forget: () => void) {
    this.user = user;
    this.wanted = wanted;
    this.call = call;
    this.forget = forget;
  }

  offer(response: Parameters<LockUser['following']>[0]): void {
    this.call({ kind: 'offer', response });
  }

  progressed(written: number, complete: boolean): void {
    this.written = written;
    if (complete) {
      clearTimeout(this.timer);
      this.call({ kind: 'progress', written, complete });
      return;
    }
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.call({ kind: 'progress', written: this.written, complete: false });
    }, progressMs);
  }

  end(end: Parameters<FetchLock['end']>[0]): void {
    clearTimeout(this.timer);
    this.forget();
    this.call({ kind: 'end', end });
  }

  receive(answer: CacheLockAnswer): void {
    const { user } = this;
    switch (answer.kind) {
      case 'granted':
        return user.granted();
      case 'waits':
        return user.waits();
      case 'wanted':
        return this.wanted();
      case 'following':
        return user.following(answer.response);
      case 'progress':
        return user.progressed(answer.written, answer.complete);
      case 'lost':
        return user.lost();
      case 'busy':
        this.forget();
        return user.busy();
      case 'stored':
        this.forget();
        return user.stored();
      case 'uncacheable':
        this.forget();
        return user.uncacheable(answer.rememberMs);
    }
  }
}
