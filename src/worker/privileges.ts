import type { Account } from '../config/config.ts';

/** The calls with which a process becomes another user; `process` has them. */
export interface Identity {
  geteuid(): number;
  initgroups(user: string, group: number): void;
  setgroups(groups: number[]): void;
  setegid(id: number): void;
  seteuid(id: number): void;
  setgid(id: number): void;
  setuid(id: number): void;
}

/**
 * The way of a worker from root to the user that serves: `lower` before it does anything for its first configuration, `raised`
 * for what takes root, and then `drop`, behind which there is no way back. What it opens and finds unreadable is so from the start.
 */
export class Privileges {
  readonly #identity: Identity;
  #account: Account | undefined;
  #dropped = false;

  constructor(identity: Identity = process as unknown as Identity) {
    this.#identity = identity;
  }

  /** Whether the process has become the other user for good. */
  get dropped(): boolean {
    return this.#dropped;
  }

  /**
   * Takes the rights of that user, for the time being. Without effect in a process that is that user already.
   * @throws Error with a message for the operator
   */
  lower(account: Account): void {
    if (this.#account !== undefined) return;
    const { name, uid, gid } = account;
    const identity = this.#identity;
    attempt(account, () => {
      // In this order: the user may change no groups.
      if (name === undefined) identity.setgroups([gid]);
      else identity.initgroups(name, gid);
      identity.setegid(gid);
      identity.seteuid(uid);
    });
    this.#account = account;
  }

  /** Does something as root, if the way back is still there. */
  async raised<T>(work: () => Promise<T>): Promise<T> {
    const { uid } = this.#account ?? {};
    if (uid === undefined || this.#dropped) return work();
    this.#identity.seteuid(0);
    try {
      return await work();
    } finally {
      this.#identity.seteuid(uid);
    }
  }

  /** Becomes the user for good. @throws Error with a message for the operator, also where the way back is still open */
  drop(): void {
    const account = this.#account;
    if (account === undefined || this.#dropped) return;
    const identity = this.#identity;
    attempt(account, () => {
      identity.seteuid(0);
      identity.setgid(account.gid);
      identity.setuid(account.uid);
    });
    if (canReturn(identity)) throw new Error(`cannot become the user ${account.user}: root could be had back`);
    this.#dropped = true;
  }
}

function canReturn(identity: Identity): boolean {
  try {
    identity.setuid(0);
    return true;
  } catch {
    return false;
  }
}

function attempt({ user }: Account, change: () => void): void {
  try {
    change();
  } catch (cause) {
    const { code = String(cause) } = cause as NodeJS.ErrnoException;
    throw new Error(`cannot become the user ${user} (${code}): that takes CAP_SETUID and CAP_SETGID`, { cause });
  }
}
