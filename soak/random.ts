/** Random numbers that are the same for the same seed (xorshift32 by George Marsaglia). */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = (Math.imul(seed, 2_654_435_761) ^ 0x9e3779b9) | 1;
  }

  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return (this.state >>> 0) % limit;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }
}
