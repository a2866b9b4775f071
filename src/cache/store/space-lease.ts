/** What one request for space is rounded up to, so that not every response asks the primary. */
const largestStep = 1024 * 1024;
const smallestStep = 64 * 1024;
/** Part of the bound that a step is: what is leased and not used cannot hold files. */
const stepShare = 1 / 512;
/** Steps that are kept of space that nobody needs at the moment. */
const idleSteps = 4;
/** Longest wait for space: the response goes on without being stored then. */
const waitMs = 2_000;

interface Waiter {
  readonly bytes: number;
  readonly until: number;
  readonly ready: (granted: boolean) => void;
}

/**
 * A worker's part of a zone's space on disk: the primary leases it ahead of writing, so that all workers together never pass
 * the bound, files being written included. What became a file is the primary's again with the report of it.
 */
export class SpaceLease {
  /** Called when more is needed at once. */
  onWanted: (() => void) | undefined;
  private readonly now: () => number;
  private stepBytes: number;
  private readonly waiters: Waiter[] = [];
  /** Grows when every lease became void: what was taken before is not to be given back. */
  generation = 0;
  private free = 0;
  /** What the primary was told last is waited for, less what it granted. */
  private asked = 0;
  /** Space that was needed since the last look at it. */
  private needed = 0;

  /**
   * @param diskSize the bound of the zone
   * @param now milliseconds that only grow
   */
  constructor(diskSize: number, now: () => number) {
    this.now = now;
    this.stepBytes = stepFor(diskSize);
  }

  configure(diskSize: number): void {
    this.stepBytes = stepFor(diskSize);
  }

  /** Bytes that can be written now. */
  get available(): number {
    return this.free;
  }

  /** @returns false, with nothing taken, when there is not as much or others wait for it */
  take(bytes: number): boolean {
    this.needed = Math.max(this.needed, bytes);
    if (this.waiters.length > 0 || bytes > this.free) return false;
    this.free -= bytes;
    return true;
  }

  /** Waits for space, in the order of asking. `ready` is called later, once; with true the space is taken. */
  wait(bytes: number, ready: (granted: boolean) => void): void {
    this.waiters.push({ bytes, until: this.now() + waitMs, ready });
    this.onWanted?.();
  }

  /**
   * Space that was taken and is not used.
   * @param generation as it was when it was taken
   */
  give(bytes: number, generation: number = this.generation): void {
    if (generation !== this.generation) return;
    this.free += bytes;
    this.serve();
  }

  granted(bytes: number): void {
    this.asked = Math.max(0, this.asked - bytes);
    this.give(bytes);
  }

  /** What the primary has to know is waited for, all in all; undefined when it knows. It counts as told. */
  takeWanted(): number | undefined {
    const waiting = this.waiters.reduce((sum, { bytes }) => sum + bytes, 0);
    const wanted = Math.max(0, Math.ceil((waiting - this.free) / this.stepBytes) * this.stepBytes);
    if (wanted === this.asked) return undefined;
    this.asked = wanted;
    return wanted;
  }

  /**
   * Once a second: gives up on what came too late, and takes out what nobody needed.
   * @param recalled whether others need space: nothing is kept then
   * @returns bytes to give back
   */
  settle(recalled: boolean): number {
    const now = this.now();
    while (this.waiters[0] !== undefined && this.waiters[0].until <= now) this.waiters.shift()?.ready(false);
    this.onWanted?.();
    const kept = recalled ? 0 : this.needed === 0 ? 0 : idleSteps * this.stepBytes;
    this.needed = 0;
    const returned = this.waiters.length > 0 ? 0 : Math.max(0, this.free - kept);
    this.free -= returned;
    return returned;
  }

  /** The folder is not ours any more: every lease is void. */
  clear(): void {
    this.generation++;
    this.free = 0;
    this.asked = 0;
    for (const { ready } of this.waiters.splice(0)) ready(false);
  }

  private serve(): void {
    for (let first = this.waiters[0]; first !== undefined && first.bytes <= this.free; first = this.waiters[0]) {
      this.waiters.shift();
      this.free -= first.bytes;
      first.ready(true);
    }
  }
}

function stepFor(diskSize: number): number {
  return Math.min(largestStep, Math.max(smallestStep, Math.floor((diskSize * stepShare) / 4096) * 4096));
}
