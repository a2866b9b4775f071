import { parentPort } from 'node:worker_threads';
import { PasswordHasher } from './password-hash.ts';

/** What a thread is asked: whether the password is the one of the hash. */
export interface HashQuestion {
  readonly id: number;
  /** Overwritten once it has been checked. */
  readonly password: Uint8Array;
  readonly hash: string;
}

export interface HashAnswer {
  readonly id: number;
  readonly matches: boolean;
}

const hasher = new PasswordHasher();

parentPort?.on('message', ({ id, password, hash }: HashQuestion) => {
  let matches = false;
  try {
    matches = hasher.matches(password, hash);
  } finally {
    password.fill(0);
  }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage({ id, matches } satisfies HashAnswer);
});
