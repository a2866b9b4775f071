import type { ToWorker } from '../ipc/message.ts';

/** Something that stands for a worker: the same object in the answer as when it was told. */
export type PurgeListener = object;

/** How a round ended. */
export interface RoundResult {
  /** Workers that obey. */
  readonly confirmed: number;
  /** Those that said nothing in time. */
  readonly silent: number;
}

/** A worker that is silent for so long is stuck, or was stopped. */
const confirmTimeoutMs = 5000;

/** Tells all workers something and knows when each of them has confirmed it. A worker that dies has nothing to confirm. */
export class PurgeRounds {
  private readonly broadcast: (message: ToWorker) => readonly PurgeListener[];
  private readonly rounds = new Map<number, Round>();
  private next = 1;

  /** @param broadcast to every worker that has a process; returns those that it went to */
  constructor(broadcast: (message: ToWorker) => readonly PurgeListener[]) {
    this.broadcast = broadcast;
  }

  tell(said: Omit<Extract<ToWorker, { type: 'cache-purge' }>, 'type' | 'round'>): Promise<RoundResult> {
    const number = this.next++;
    const waiting = new Set(this.broadcast({ type: 'cache-purge', round: number, ...said }));
    const all = waiting.size;
    return new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.rounds.delete(number);
        resolve({ confirmed: all - waiting.size, silent: waiting.size });
      };
      const timer = setTimeout(finish, confirmTimeoutMs);
      this.rounds.set(number, { waiting, finish });
      if (all === 0) finish();
    });
  }

  confirmed(worker: PurgeListener, number: number): void {
    const round = this.rounds.get(number);
    if (round?.waiting.delete(worker) === true && round.waiting.size === 0) round.finish();
  }

  died(worker: PurgeListener): void {
    for (const number of this.rounds.keys()) this.confirmed(worker, number);
  }
}

interface Round {
  readonly waiting: Set<PurgeListener>;
  readonly finish: () => void;
}
