import type { ChallengeResponse } from '../acme/challenge-response.ts';
import type { ToWorker } from '../ipc/message.ts';

/** A worker that has not answered after this is stuck or gone; the authority finds another one with luck. */
const confirmationMs = 5_000;

type Announcement = Extract<ToWorker, { type: 'acme-challenges' }>;

/** Sends to every worker, and gives the keys of those it went to. */
export type Broadcast = (message: Announcement) => readonly number[];

/** Tells the workers which challenges to answer, and hears when all of them do. One announcement at a time. */
export class AcmeAnnouncer {
  readonly #broadcast: Broadcast;
  #current: Announcement = { type: 'acme-challenges', id: 0, responses: [] };
  readonly #unconfirmed = new Set<number>();
  #settle: (() => void) | undefined;

  constructor(broadcast: Broadcast) {
    this.#broadcast = broadcast;
  }

  /** For a worker that starts, ahead of its configuration. */
  get current(): Announcement {
    return this.#current;
  }

  /** Has these answered in the place of those before; resolves when every worker does. */
  present(responses: readonly ChallengeResponse[]): Promise<void> {
    this.#settle?.();
    this.#current = { type: 'acme-challenges', id: this.#current.id + 1, responses };
    this.#unconfirmed.clear();
    for (const key of this.#broadcast(this.#current)) this.#unconfirmed.add(key);
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settle?.(), confirmationMs);
      this.#settle = () => {
        clearTimeout(timer);
        this.#settle = undefined;
        resolve();
      };
      this.#settleWhenConfirmed();
    });
  }

  confirmed(workerKey: number, id: number): void {
    if (id === this.#current.id) this.died(workerKey);
  }

  /** A worker that is gone is not waited for. */
  died(workerKey: number): void {
    this.#unconfirmed.delete(workerKey);
    this.#settleWhenConfirmed();
  }

  close(): void {
    this.#settle?.();
  }

  #settleWhenConfirmed(): void {
    if (this.#unconfirmed.size === 0) this.#settle?.();
  }
}
