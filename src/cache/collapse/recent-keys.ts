/** Keys for each of which something holds for a while; bounded, the oldest leave first. */
export class RecentKeys {
  private readonly until = new Map<string, number>();
  private readonly bound: number;

  constructor(bound: number) {
    this.bound = bound;
  }

  /** @param until milliseconds since 1970 */
  add(key: string, until: number): void {
    this.until.delete(key);
    this.until.set(key, until);
    if (this.until.size <= this.bound) return;
    for (const oldest of this.until.keys()) {
      this.until.delete(oldest);
      return;
    }
  }

  delete(key: string): void {
    this.until.delete(key);
  }

  has(key: string, now: number): boolean {
    const until = this.until.get(key);
    if (until === undefined) return false;
    if (until > now) return true;
    this.until.delete(key);
    return false;
  }
}
