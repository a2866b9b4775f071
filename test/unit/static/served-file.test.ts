import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { truncateSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import type { ReadBuffer } from '../../../src/static/read-buffer-pool.ts';
import { FailingDisk } from '../../support/failing-disk.ts';
import { StaticSite } from '../../support/static-site.ts';
import { waitForTurn } from '../../support/wait-for.ts';

const megabyte = 1024 ** 2;
/** Bytes that are read before others have their turn. */
const turn = megabyte / 2;

function siteOnLocalDisk(test: TestContext, bytes: number) {
  const disk = new FailingDisk();
  disk.local = true;
  const site = new StaticSite(test, { disk, maxFileBytes: 1000, revalidateMs: 3_600_000 });
  const contents = randomBytes(bytes);
  const path = site.write('large.bin', contents);
  return { site, disk, contents, path };
}

function assertNothingHeld(site: StaticSite, disk: FailingDisk): void {
  assert.equal(disk.openFiles.size, 0, 'every descriptor is closed');
  assert.equal(site.buffers.lent, 0, 'all memory is back');
}

describe('a large file on a local disk', () => {
  it('comes whole: its first piece read by a thread, the others by the loop', async (test) => {
    const { site, disk, contents } = siteOnLocalDisk(test, 9 * megabyte + 123);
    const response = await site.ask('/large.bin');
    assert.ok(response.responseBody.equals(contents));
    assert.ok(disk.readsNow > 0);
    assert.equal(disk.calls.read - disk.readsNow, 1);
    assertNothingHeld(site, disk);
  });

  it('leaves others their turn, however fast its client is', async (test) => {
    const { site } = siteOnLocalDisk(test, 9 * megabyte);
    const exchange = site.start('/large.bin');
    await waitForTurn(() => exchange.bytesSent > 0, 'the first piece');
    let before = exchange.bytesSent;
    await waitForTurn(() => {
      assert.ok(exchange.bytesSent - before <= 2 * turn, `${exchange.bytesSent - before} bytes in one turn`);
      before = exchange.bytesSent;
      return exchange.complete;
    }, 'the end');
  });

  it('comes whole to a client that stops after every piece, and is not read ahead of it', async (test) => {
    const { site, disk, contents } = siteOnLocalDisk(test, 5 * megabyte + 1);
    const exchange = site.start('/large.bin');
    exchange.stall();
    while (!exchange.complete) {
      await waitForTurn(() => exchange.stalled || exchange.complete, 'the next piece');
      assert.ok(site.buffers.lent <= megabyte);
      exchange.drain(exchange.chunkSizes.at(-1));
    }
    assert.ok(exchange.responseBody.equals(contents));
    assertNothingHeld(site, disk);
  });

  it('goes on when it had to wait for memory', async (test) => {
    const { site, disk, contents } = siteOnLocalDisk(test, 3 * megabyte);
    const exchange = site.start('/large.bin');
    exchange.stall();
    await waitForTurn(() => exchange.stalled && disk.readsNow === 0, 'the client to fall behind');
    const hoard: ReadBuffer[] = [];
    for (
      let piece = site.buffers.tryAcquire(megabyte);
      piece !== undefined;
      piece = site.buffers.tryAcquire(megabyte)
    ) {
      hoard.push(piece);
    }
    // Somebody in front takes what the client's progress sets free.
    site.buffers.wait({ granted: (piece) => void hoard.push(piece), timedOut: () => assert.fail() });
    exchange.drain();
    await waitForTurn(() => site.buffers.waiting > 0, 'a queue for memory');
    for (const piece of hoard.splice(0)) site.buffers.release(piece);
    await exchange.finished;
    assert.ok(exchange.responseBody.equals(contents));
    assertNothingHeld(site, disk);
  });

  it('gives everything back when its client goes between two turns', async (test) => {
    const { site, disk } = siteOnLocalDisk(test, 9 * megabyte);
    const exchange = site.start('/large.bin');
    await waitForTurn(() => exchange.bytesSent > megabyte, 'the first megabyte');
    exchange.disconnect();
    await waitForTurn(() => disk.openFiles.size === 0, 'every descriptor to be closed');
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(exchange.complete, false);
    assertNothingHeld(site, disk);
  });

  it('is cut when the disk fails midway, and when it is truncated', async (test) => {
    for (const spoil of [
      (disk: FailingDisk) => (disk.readsFail = 'EIO'),
      (_: FailingDisk, path: string) => truncateSync(path, megabyte),
    ]) {
      const { site, disk, path } = siteOnLocalDisk(test, 9 * megabyte);
      const exchange = site.start('/large.bin');
      await waitForTurn(() => exchange.bytesSent > megabyte, 'the first megabyte');
      spoil(disk, path);
      await exchange.finished;
      assert.equal(exchange.complete, false);
      await waitForTurn(() => disk.openFiles.size === 0, 'every descriptor to be closed');
      assertNothingHeld(site, disk);
    }
  });
});
