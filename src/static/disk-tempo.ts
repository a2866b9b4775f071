import type { Disk } from './disk.ts';

/** What a look at a file takes at most, with all its calls, when the answers come from the system's memory. */
const quickMs = 0.5;
/** Nothing but a disk takes so long. */
const hopelessMs = 500;
/** So many slow looks are forgiven, as pauses for garbage and other processes on the core make some; quick ones win one back. */
const maxCredit = 5;
const creditOfQuick = 1 / 20;
/** When there were more, the disk is not waited for again for so long; and for twice as long each time that this happens again. */
const firstRestMs = 100;
const longestRestMs = 60_000;
/** Devices remembered; there are few, but mounts come and go. */
const maxDevices = 1024;

/**
 * Decides when the event loop may wait for the file system itself, which costs a tenth of handing the call to a thread:
 * on file systems of this machine, and as long as the answers come out of memory. Where one in twenty takes longer,
 * everybody is sent to the threads for a while, and for longer and longer while nothing gets better: a slow disk holds the
 * loop up for one answer a minute then. Made once a worker.
 */
export class DiskTempo {
  private credit = maxCredit;
  private restUntil = 0;
  private restMs = firstRestMs;
  private readonly local = new Map<bigint, boolean>();

  /** Whether the loop may wait, at that time of `performance.now()`. */
  mayWait(now: number): boolean {
    return now >= this.restUntil;
  }

  /** Says that it has waited for so long, until now. */
  waited(fromMs: number, untilMs: number): void {
    const elapsedMs = untilMs - fromMs;
    const change = elapsedMs <= quickMs ? creditOfQuick : elapsedMs < hopelessMs ? -1 : -maxCredit - 1;
    const credit = this.credit + change;
    this.credit = Math.min(maxCredit, Math.max(0, credit));
    if (credit >= maxCredit) this.restMs = firstRestMs;
    if (credit >= 0) return;
    this.restUntil = untilMs + this.restMs;
    this.restMs = Math.min(longestRestMs, this.restMs * 2);
  }

  /** Finds out about the device that a path lies on, once. Never rejects: what cannot be asked is not local. */
  async learn(device: bigint, path: string, disk: Disk): Promise<boolean> {
    const known = this.local.get(device);
    if (known !== undefined) return known;
    const isLocal = await disk.isLocal(path).catch(() => false);
    if (this.local.size >= maxDevices) this.local.clear();
    this.local.set(device, isLocal);
    return isLocal;
  }
}
