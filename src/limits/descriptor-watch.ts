import { readdirSync, readFileSync } from 'node:fs';

/** Least time between two counts, milliseconds, and how many times as long as a count takes. */
const pauseMs = 100;
const pauseFactor = 20;
/** A connection may bring another one, upstream. */
const perConnection = 2;

/** What the system says of this process's descriptors. */
export interface DescriptorTable {
  /** Most that there may be (RLIMIT_NOFILE). */
  limit(): number;
  /** Open now. */
  count(): number;
}

/**
 * Whether there are descriptors left for another connection. Counts only when what was accepted since the last count could
 * have used them up: with none left uWebSockets.js would try to accept again and again, and files could not be opened.
 */
export class DescriptorWatch {
  readonly #table: DescriptorTable;
  readonly #now: () => number;
  #limit = Number.MAX_SAFE_INTEGER;
  #reserve = 0;
  #counted = 0;
  /** Since then; counted twice. Infinity before the first count. */
  #accepted = Number.POSITIVE_INFINITY;
  #nextAt = Number.NEGATIVE_INFINITY;

  constructor(table: DescriptorTable = procTable, now = () => performance.now()) {
    this.#table = table;
    this.#now = now;
  }

  /** @param reserve descriptors that connections leave to everything else; a quarter of all at most */
  configure(reserve: number): void {
    this.#reserve = reserve;
  }

  /** Called for each connection that has come. */
  isLow(): boolean {
    this.#accepted += perConnection;
    if (!this.#mayBeLow()) return false;
    if (this.#now() >= this.#nextAt) this.#count();
    return this.#mayBeLow();
  }

  #mayBeLow(): boolean {
    return this.#counted + this.#accepted > this.#limit - Math.min(this.#reserve, this.#limit / 4);
  }

  #count(): void {
    const startedAt = this.#now();
    this.#accepted = 0;
    try {
      this.#counted = this.#table.count();
      this.#limit = Math.min(this.#table.limit(), Number.MAX_SAFE_INTEGER);
    } catch (error) {
      // None is left to look with: that is an answer, too. Otherwise this is not Linux, and nobody tells.
      const isUsedUp = ['EMFILE', 'ENFILE'].includes((error as NodeJS.ErrnoException).code ?? '');
      this.#counted = isUsedUp ? Number.POSITIVE_INFINITY : 0;
    }
    const endedAt = this.#now();
    this.#nextAt = endedAt + Math.max(pauseMs, (endedAt - startedAt) * pauseFactor);
  }
}

const procTable: DescriptorTable = {
  limit: () => {
    const soft = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
    return soft === undefined || soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
  },
  count: () => readdirSync('/proc/self/fd').length,
};
