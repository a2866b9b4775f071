/** Lets so many checks run at a time; the others wait in turn. Each that begins calls `release` once when it is over. */
export class HealthGate {
  private readonly limit: number;
  private readonly waiting = new Set<() => void>();
  private running = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Checks that wait because as many run as may. */
  get queued(): number {
    return this.waiting.size;
  }

  /** Calls `begin` now or later. @returns takes it back as long as it has not begun */
  enter(begin: () => void): () => void {
    if (this.running < this.limit) {
      this.running++;
      begin();
    } else {
      this.waiting.add(begin);
    }
    return () => void this.waiting.delete(begin);
  }

  release(): void {
    this.running--;
    const [next] = this.waiting;
    if (next === undefined || this.running >= this.limit) return;
    this.waiting.delete(next);
    this.running++;
    next();
  }
}
