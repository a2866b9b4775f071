/** A lease that a worker waits for. */
interface Want {
  readonly worker: number;
  bytes: number;
}

/** Less than that is no help. */
const leastGrant = 256 * 1024;

/**
 * Who may write how much in a zone: what the files take, what is leased and what is being deleted never exceeds the bound
 * together. Pure: sizes come in, grants go out.
 */
export class CacheKeeperSpace {
  /** Bytes that files take, those of the index. */
  fileBytes = 0;
  /** Of files that are being deleted. */
  deletingBytes = 0;
  /** The bound. */
  limit: number;
  private readonly leases = new Map<number, number>();
  /** Leases of dead workers: part of them may be files that nobody told of. */
  private lost = 0;
  private wants: Want[] = [];

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Bytes leased to workers, dead ones included. */
  get leased(): number {
    let sum = this.lost;
    for (const bytes of this.leases.values()) sum += bytes;
    return sum;
  }

  get used(): number {
    return this.fileBytes + this.deletingBytes + this.leased;
  }

  /** Bytes that workers wait for. */
  get wanted(): number {
    return Math.min(
      this.limit,
      this.wants.reduce((sum, { bytes }) => sum + bytes, 0),
    );
  }

  /** Bytes that must go for all wants and some room ahead of the next ones. */
  get excess(): number {
    const room = Math.min(this.limit / 50, 32 * 1024 * 1024);
    return this.fileBytes + this.leased + this.wanted + room - this.limit;
  }

  /** Those who have a lease that somebody else could use. */
  get holders(): number[] {
    return [...this.leases].filter(([, bytes]) => bytes > 0).map(([worker]) => worker);
  }

  /** A worker waits for that much, all in all; it keeps its turn. */
  want(worker: number, bytes: number): void {
    const former = this.wants.find((want) => want.worker === worker);
    if (former !== undefined) former.bytes = bytes;
    else this.wants.push({ worker, bytes });
    if (bytes === 0) this.wants = this.wants.filter((want) => want.worker !== worker);
  }

  /** A worker wrote a file within its lease, or does not need it: it cannot give back what it does not have. */
  settle(worker: number, bytes: number): void {
    const leased = this.leases.get(worker) ?? 0;
    this.leases.set(worker, Math.max(0, leased - bytes));
  }

  died(worker: number): void {
    this.lost += this.leases.get(worker) ?? 0;
    this.leases.delete(worker);
    this.wants = this.wants.filter((want) => want.worker !== worker);
  }

  /** Leases of dead workers as of now. */
  get lostBytes(): number {
    return this.lost;
  }

  /** Everything that they wrote is known or gone. */
  recovered(bytes: number): void {
    this.lost = Math.max(0, this.lost - bytes);
  }

  /**
   * Gives out what is free, in the order of asking, in parts where there is not enough.
   * @param most bytes to be given out now at most
   */
  grant(granted: (worker: number, bytes: number) => void, most = Number.POSITIVE_INFINITY): void {
    let rest = Math.min(most, this.limit - this.used);
    for (let want = this.wants[0]; want !== undefined; want = this.wants[0]) {
      const bytes = Math.min(want.bytes, rest);
      if (bytes < want.bytes && bytes < leastGrant) return;
      rest -= bytes;
      want.bytes -= bytes;
      this.leases.set(want.worker, (this.leases.get(want.worker) ?? 0) + bytes);
      if (want.bytes === 0) this.wants.shift();
      granted(want.worker, bytes);
    }
  }
}
