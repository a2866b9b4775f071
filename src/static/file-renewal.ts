import type { BigIntStats } from 'node:fs';
import type { CacheEntry } from './cache-entry.ts';
import { identityIndex, siblingCodings } from './content-coding.ts';
import type { Disk } from './disk.ts';
import type { DiskTempo } from './disk-tempo.ts';
import { sameState } from './file-identity.ts';
import { FolderStates } from './folder-states.ts';

/**
 * Compares files in memory with the disk, with the event loop waiting: a microsecond or two where the file is on a local
 * disk, as the system remembers what was looked at lately. That there are still no compressed siblings the folder tells.
 */
export class FileRenewal {
  private readonly disk: Disk;
  private readonly tempo: DiskTempo;
  private readonly folders: FolderStates;
  private readonly precompressed: boolean;

  constructor(disk: Disk, tempo: DiskTempo, precompressed: boolean) {
    this.disk = disk;
    this.tempo = tempo;
    this.folders = new FolderStates(disk);
    this.precompressed = precompressed;
  }

  /**
   * Trusts an entry for so much longer if its file is what it was.
   * @param now `performance.now()`, or some time before
   * @returns false when it has changed, or where finding out might take longer: then it must be looked up
   */
  renew(entry: CacheEntry, now: number, lifetimeMs: number): boolean {
    const { tempo } = this;
    const begin = performance.now();
    if (!entry.isLocal || entry.isRacy || !tempo.mayWait(begin)) return false;
    let until: number | undefined;
    try {
      until = this.trustedUntil(entry, now, lifetimeMs);
    } catch {
      // Whatever it is, looking it up meets it too, and tells.
    }
    tempo.waited(begin, performance.now());
    if (until !== undefined) entry.expiresAt = until;
    return until !== undefined;
  }

  /** @returns undefined when something has changed */
  private trustedUntil(entry: CacheEntry, now: number, lifetimeMs: number): number | undefined {
    const { outcome } = entry;
    const identity = entry.representations[identityIndex]?.identity;
    if (outcome.kind !== 'file' || identity === undefined) return undefined;
    const own = this.disk.statNow(outcome.path);
    if (own === undefined || !sameState(own, identity)) return undefined;
    if (!this.precompressed) return now + lifetimeMs;
    const { folder } = entry;
    const same = folder !== undefined && this.folders.isUnchanged(folder, now, lifetimeMs);
    if (same && entry.siblings === 0) return folder.seenAt + lifetimeMs;
    // From before the siblings are looked at, so that what comes meanwhile shows next time.
    const current = same ? folder : this.folders.of(outcome.path, now, lifetimeMs);
    const found = this.siblingsUnchanged(entry, outcome.path, own, same);
    if (found === 'changed') return undefined;
    if (!same) entry.folder = found === 'unused' || current?.isSettled !== true ? undefined : current;
    return same ? folder.seenAt + lifetimeMs : now + lifetimeMs;
  }

  /**
   * @param noneHasCome whether siblings that were not there need not be looked for
   * @returns `unused` when there is one that is older than the file: it may become newer without the folder showing it
   */
  private siblingsUnchanged(
    { representations }: CacheEntry,
    path: string,
    own: BigIntStats,
    noneHasCome: boolean,
  ): 'unchanged' | 'unused' | 'changed' {
    let result: 'unchanged' | 'unused' = 'unchanged';
    for (let index = 0; index < siblingCodings.length; index++) {
      const identity = representations[index]?.identity;
      const suffix = siblingCodings[index]?.suffix ?? '';
      if ((noneHasCome && identity === undefined) || path.endsWith(suffix)) continue;
      const stat = this.disk.statNow(path + suffix);
      const usable = stat !== undefined && stat.mtimeNs >= own.mtimeNs && stat.isFile();
      if (usable !== (identity !== undefined)) return 'changed';
      if (usable && identity !== undefined && !sameState(stat, identity)) return 'changed';
      if (stat !== undefined && !usable) result = 'unused';
    }
    return result;
  }
}
