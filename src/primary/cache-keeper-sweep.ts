import fs from 'node:fs';
import type { PurgeOrder } from '../cache/purge.ts';
import { PurgeOrders, type PurgeVerdict } from '../cache/purge-orders.ts';
import { encodeSlot, fitsSlot, slotOffset } from '../cache/store/entry-format.ts';
import { entryPath } from '../cache/store/entry-key.ts';
import { type LookedUp, lookUp } from '../cache/store/entry-lookup.ts';
import { encodeHead } from '../cache/store/head-codec.ts';
import { nodeStoreDisk, writeFully } from '../cache/store/store-disk.ts';
import type { StoredResponse } from '../cache/stored-response.ts';
import type { CacheKeeperIndex } from './cache-keeper-index.ts';

/** Files looked at together. */
const batchFiles = 16;

/** Deletes a file; `done` when it is gone or cannot be. */
export type DeleteFile = (hash: string, done: () => void) => void;

/**
 * Deletes what hard orders concern and makes stale what soft ones do, so that the orders can be forgotten. Only files that
 * the index names as candidates are read.
 * @returns whether there was nothing left to do
 */
export async function sweepFiles(
  folder: string,
  index: CacheKeeperIndex,
  orders: readonly PurgeOrder[],
  deleteFile: DeleteFile,
): Promise<boolean> {
  const purges = new PurgeOrders();
  purges.add(orders);
  const candidates = [...new Set(orders.flatMap(({ what }) => index.candidates(what)))];
  const zone = purges.zone(orders[0]?.zone ?? '');
  let isDone = true;
  const sweepOne = async (hash: string): Promise<void> => {
    const found = await openEntry(folder, hash);
    if (found === undefined) return;
    const { head } = found.slot;
    const verdict = head.kind === 'response' ? zone.concerns(head.response) : undefined;
    if (!(await obey(found, hash, verdict, newestSoft(orders), deleteFile))) isDone = false;
  };
  for (let start = 0; start < candidates.length; start += batchFiles) {
    await Promise.all(candidates.slice(start, start + batchFiles).map(sweepOne));
  }
  return isDone;
}

/** @returns whether there was nothing to do */
async function obey(
  entry: LookedUp,
  hash: string,
  verdict: PurgeVerdict | undefined,
  time: number,
  deleteFile: DeleteFile,
): Promise<boolean> {
  const { head } = entry.slot;
  const isFresh =
    head.kind === 'response' && verdict === 'stale' && head.response.lifetime > ageAt(head.response, time);
  if (verdict === 'gone') {
    fs.closeSync(entry.fd);
    await new Promise<void>((done) => deleteFile(hash, done));
    return false;
  }
  if (!isFresh) {
    fs.closeSync(entry.fd);
    return true;
  }
  const response = { ...head.response, lifetime: ageAt(head.response, time) };
  await writeHead(entry, { ...head, response });
  return false;
}

/** RFC 9111 section 4.2.3, for a moment that has been. */
function ageAt({ initialAge, responseTime }: StoredResponse, time: number): number {
  return Math.max(0, initialAge + time - responseTime);
}

function newestSoft(orders: readonly PurgeOrder[]): number {
  return orders.reduce((newest, { soft, time }) => (soft ? Math.max(newest, time) : newest), 0);
}

/** A head that was there is never lost: there is a second place for it. */
function writeHead({ fd, layout, slot }: LookedUp, head: LookedUp['slot']['head']): Promise<void> {
  const bytes = encodeHead(head);
  return new Promise((resolve) => {
    const close = (): void => fs.close(fd, () => resolve());
    if (!fitsSlot(layout, bytes)) return close();
    const offset = slotOffset(layout, slot.index === 0 ? 1 : 0);
    writeFully(nodeStoreDisk, fd, [encodeSlot(bytes, slot.sequence + 1)], offset, close);
  });
}

function openEntry(folder: string, hash: string): Promise<LookedUp | undefined> {
  return new Promise((resolve) => {
    const path = entryPath(folder, hash);
    lookUp(
      nodeStoreDisk,
      path,
      undefined,
      (result) => resolve(result.kind === 'found' ? result.entry : undefined),
      'renew',
    );
  });
}
