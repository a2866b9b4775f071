import { entryHash } from './entry-key.ts';
import type { MemoryItem } from './memory-item.ts';

/** Uses told in one message at most; what is used beyond it is told of in the next second. */
const maxUses = 4096;

/** Which entries were used, for the primary, who lets those go that nobody uses. Each is told once in a period at most. */
export class UseReports {
  private readonly now: () => number;
  private periodMs: number;
  private period = 0;
  private hashes: string[] = [];

  /** @param now milliseconds that only grow */
  constructor(inactiveMs: number, now: () => number) {
    this.now = now;
    this.periodMs = periodFor(inactiveMs);
  }

  configure(inactiveMs: number): void {
    this.periodMs = periodFor(inactiveMs);
  }

  /** For each hit: a comparison, as a rule. */
  add(item: MemoryItem): void {
    if (item.usedIn === this.period || this.hashes.length >= maxUses) return;
    item.usedIn = this.period;
    if (item.hash === '') item.hash = entryHash(item.storeKey);
    this.hashes.push(item.hash);
  }

  /** Once a second. @returns hashes one behind the other; '' for none */
  collect(): string {
    this.period = Math.floor(this.now() / this.periodMs);
    const text = this.hashes.join('');
    this.hashes = [];
    return text;
  }
}

/** Fine enough for `inactive`, and for an order of last use. */
function periodFor(inactiveMs: number): number {
  return Math.min(30_000, Math.max(1_000, inactiveMs / 16));
}
