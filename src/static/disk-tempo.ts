import type { Disk } from './disk.ts';

/** What a look at a file may take on average, with all its calls: some times what it takes from the system's memory takes. */
const usualMs = 0.06;
/** Most that is saved up by quick answers; a pause for garbage, or another process on the core, takes some of it now and then. */
const maxCreditMs = 20;
/** Where that is used up, the disk is not waited for again for so long; and for twice as long each time that this happens again. */
const firstRestMs = 100;
const longestRestMs = 60_000;
/** Devices remembered; there are few, but mounts come and go. */
const maxDevices = 1024;

/**
 * Decides when the event loop may wait for the file system itself, which costs a tenth of handing the call to a thread:
 * on file systems of this machine, and as long as the answers come out of memory. Where they take longer on average,
 * everybody is sent to the threads for a while, and for longer and longer while nothing gets better: a slow disk holds the
 * loop up for one answer a minute then. Made once a worker.
 */
export class DiskTempo {
  private creditMs = maxCreditMs;
  private restUntil = 0;
  private restMs = firstRestMs;
  private readonly local = new Map<bigint, boolean>();

  /** Whether the loop may wait, at that time of `performance.now()`. */
  mayWait(now: number): boolean {
    return now >= this.restUntil;
  }

  /** Says that it has waited for so long, until now. */
  waited(fromMs: number, untilMs: number): void {
    const credit = this.creditMs + usualMs - (untilMs - fromMs);
    this.creditMs = Math.min(maxCreditMs, Math.max(0, credit));
    if (credit >= maxCreditMs) this.restMs = firstRestMs;
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
