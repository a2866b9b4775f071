import type { FollowedResponse } from '../../ipc/message.ts';

/** What a worker is told about a lock that it asked for. */
export interface LockUser {
  /** It is this worker's turn to ask the upstream. */
  granted(): void;
  /** Another worker fetches; it is this one's turn some time. */
  waits(): void;
  /** Another worker fetches, and nobody here wanted to wait for it. */
  busy(): void;
  /** Another worker gets the response: it can be read along. */
  following(response: FollowedResponse): void;
  /** More of it is in the file: bytes of the body; `complete` when that is all. */
  progressed(written: number, complete: boolean): void;
  /** Another worker has stored it. */
  stored(): void;
  /** Another worker found that it cannot be stored, for that many milliseconds. */
  uncacheable(rememberMs: number): void;
  /** What was read along will not be completed; the lock is still being waited for. */
  lost(): void;
}

/** How a fetch ended, for those who wait for it in other workers. */
export type FetchEnd =
  | { readonly how: 'stored' }
  | { readonly how: 'uncacheable'; readonly rememberMs: number }
  | { readonly how: 'failed' };

/** A lock, asked for or held. */
export interface FetchLock {
  /** There is a response that others can read along; told when they want to. */
  offer(response: FollowedResponse): void;
  progressed(written: number, complete: boolean): void;
  /** Gives it back, or does not wait for it any more. */
  end(end: FetchEnd): void;
}

/** Sees to it that one worker alone fetches what has one key. */
export interface FetchLocks {
  /**
   * @param wait     false to be told `busy` when another worker has it
   * @param lookedAt milliseconds since 1970 when the store had nothing: what was stored since then is told by `stored`
   * @param wanted   called while the lock is held, when others wait and want to read along
   */
  ask(zone: string, storeKey: string, wait: boolean, lookedAt: number, user: LockUser, wanted: () => void): FetchLock;
}

/** Where one worker is all there is: its turn is always now. */
export const unsharedLocks: FetchLocks = {
  ask(_zone, _storeKey, _wait, _lookedAt, user) {
    user.granted();
    return { offer() {}, progressed() {}, end() {} };
  },
};
