import { dirname } from 'node:path';
import type { Disk } from './disk.ts';
import { type FileIdentity, identityOf, racyMs, sameState } from './file-identity.ts';

/** Folders remembered; when there are more, they are learnt anew. */
const maxFolders = 10_000;

/** What a folder was like. While it stays so, no name in it has come, gone or come to mean another file. */
export interface FolderState {
  readonly path: string;
  readonly identity: FileIdentity;
  /** Nothing had changed for so long that the next change will show: the clock of a file system is coarse. */
  readonly isSettled: boolean;
  /** `performance.now()` before it was last found to be so. */
  seenAt: number;
  /** It is not so any more. */
  changed: boolean;
}

/**
 * The states of folders on local disks: one look at a folder tells of all its files that nothing has come beside them.
 * The event loop waits for it.
 */
export class FolderStates {
  private readonly disk: Disk;
  private readonly states = new Map<string, FolderState>();

  constructor(disk: Disk) {
    this.disk = disk;
  }

  /**
   * The state of a file's folder, at most `maxAgeMs` old.
   * @throws what the disk says
   */
  of(filePath: string, now: number, maxAgeMs: number): FolderState | undefined {
    const path = dirname(filePath);
    const known = this.states.get(path);
    if (known !== undefined && this.isUnchanged(known, now, maxAgeMs)) return known;
    const stats = this.disk.statNow(path);
    if (stats === undefined) return undefined;
    const identity = identityOf(stats);
    const isSettled = identity.ctimeNs / 1_000_000n + racyMs < BigInt(Date.now());
    const state: FolderState = { path, identity, isSettled, seenAt: now, changed: false };
    if (this.states.size >= maxFolders) this.states.clear();
    this.states.set(path, state);
    return state;
  }

  /**
   * Whether a folder is as it was, at most `maxAgeMs` ago.
   * @throws what the disk says
   */
  isUnchanged(state: FolderState, now: number, maxAgeMs: number): boolean {
    if (state.changed) return false;
    if (now - state.seenAt < maxAgeMs) return true;
    // One that was not settled is to be seen anew, to find out whether it is now.
    const stats = state.isSettled ? this.disk.statNow(state.path) : undefined;
    if (stats === undefined || !sameState(stats, state.identity)) state.changed = true;
    else state.seenAt = now;
    return !state.changed;
  }
}
