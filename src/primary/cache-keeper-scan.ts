import fs from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { entryHash, entryPath, hashLength } from '../cache/store/entry-key.ts';
import { type LookedUp, lookUp } from '../cache/store/entry-lookup.ts';
import { nodeStoreDisk } from '../cache/store/store-disk.ts';
import { diskBytes } from '../cache/store/store-messages.ts';
import type { CacheKeeperIndex, IndexedFile } from './cache-keeper-index.ts';

/** So many files at a time, and a pause: workers answer meanwhile, perhaps from the same disk. */
const batchFiles = 64;
const pauseMs = 2;
const folderName = /^[0-9a-f]{2}$/;
const fileName = new RegExp(`^[0-9a-f]{${hashLength - 2}}$`);

/** What a scan found besides. */
export interface ScanResult {
  readonly corrupt: number;
  /** Entries of the index whose files are not there any more. */
  readonly missing: readonly string[];
}

/**
 * Goes through the folder of a zone and puts into the index what it does not know. Serving does not wait for it. What is no
 * whole entry is deleted.
 */
export async function scanFolder(folder: string, index: CacheKeeperIndex, signal: AbortSignal): Promise<ScanResult> {
  index.beginRound();
  let corrupt = 0;
  for (const name of await namesIn(folder, folderName)) {
    const unknown: string[] = [];
    for (const file of await namesIn(`${folder}/${name}`, fileName)) {
      if (!index.see(name + file)) unknown.push(name + file);
    }
    for (let start = 0; start < unknown.length && !signal.aborted; start += batchFiles) {
      const files = await Promise.all(unknown.slice(start, start + batchFiles).map((hash) => inspect(folder, hash)));
      for (const file of files) {
        if (file === 'corrupt') corrupt++;
        else if (file !== undefined) index.load(file);
      }
      await delay(pauseMs);
    }
    if (signal.aborted) return { corrupt, missing: [] };
  }
  index.sort();
  return { corrupt, missing: index.unseen() };
}

async function namesIn(folder: string, pattern: RegExp): Promise<string[]> {
  try {
    return (await fs.promises.readdir(folder)).filter((name) => pattern.test(name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** @returns undefined for a file that is gone, or cannot be read now */
function inspect(folder: string, hash: string): Promise<IndexedFile | 'corrupt' | undefined> {
  const path = entryPath(folder, hash);
  return new Promise((resolve) => {
    lookUp(nodeStoreDisk, path, undefined, (result) => {
      if (result.kind === 'found') {
        const file = describe(hash, result.entry);
        fs.closeSync(result.entry.fd);
        if (file !== undefined) return resolve(file);
      }
      if (result.kind === 'absent' || result.kind === 'failed') return resolve(undefined);
      fs.unlink(path, () => resolve('corrupt'));
    });
  });
}

function describe(hash: string, { slot, fd }: LookedUp): IndexedFile | undefined {
  const { head } = slot;
  if (entryHash(head.storeKey) !== hash) return undefined;
  const { size, mtimeMs } = fs.fstatSync(fd);
  const { key, tags } = head.kind === 'response' ? head.response : { key: head.marker.key, tags: [] };
  return { hash, bytes: diskBytes(size), usedAt: Math.max(1, Math.floor(mtimeMs / 1000)), key, tags };
}
