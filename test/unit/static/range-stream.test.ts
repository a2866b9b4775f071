import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { metricNames } from '../../../src/metrics/names.ts';
import { FailingDisk } from '../../support/failing-disk.ts';
import type { FakeExchange } from '../../support/fake-exchange.ts';
import { StaticSite } from '../../support/static-site.ts';
import { waitForTurn } from '../../support/wait-for.ts';

const megabyte = 1024 ** 2;

function siteWithLargeFile(test: TestContext, bytes: number, readBufferBytes = 4 * megabyte) {
  const disk = new FailingDisk();
  const site = new StaticSite(test, { disk, maxFileBytes: 1000, revalidateMs: 3_600_000, readBufferBytes });
  const contents = randomBytes(bytes);
  const path = site.write('large.bin', contents);
  return { site, disk, contents, path };
}

function assertNothingHeld(site: StaticSite, disk: FailingDisk): void {
  assert.equal(disk.openFiles.size, 0, 'every descriptor is closed');
  assert.equal(site.buffers.lent, 0, 'all memory is back');
  assert.equal(site.buffers.waiting, 0, 'nobody waits');
}

async function stalledDownload(site: StaticSite): Promise<FakeExchange> {
  const exchange = site.start('/large.bin');
  exchange.stall();
  await waitForTurn(() => exchange.stalled, 'the client to fall behind');
  return exchange;
}

function changes(site: StaticSite): number {
  return site.recorder.value(metricNames.fileChangedWhileServed);
}

describe('a large file', () => {
  it('comes whole and byte for byte, to fast clients in large pieces', async (test) => {
    const { site, disk, contents } = siteWithLargeFile(test, 9 * megabyte + 123);
    const response = await site.ask('/large.bin');
    assert.equal(response.length, contents.length);
    assert.ok(response.responseBody.equals(contents));
    assert.equal(Math.max(...response.chunkSizes), megabyte);
    assertNothingHeld(site, disk);
  });

  it('comes whole to a client that stops after every piece', async (test) => {
    const { site, disk, contents } = siteWithLargeFile(test, 5 * megabyte + 1);
    const exchange = site.start('/large.bin');
    exchange.stall();
    while (!exchange.complete) {
      await waitForTurn(() => exchange.stalled || exchange.complete, 'the next piece');
      exchange.drain(exchange.chunkSizes.at(-1));
    }
    assert.ok(exchange.responseBody.equals(contents));
    assertNothingHeld(site, disk);
  });

  it('comes in small pieces to a slow client', async (test) => {
    const { site, disk } = siteWithLargeFile(test, 2 * megabyte);
    const exchange = await stalledDownload(site);
    const stalledAt = performance.now();
    test.mock.method(performance, 'now', () => stalledAt + 60_000);
    exchange.drain(exchange.chunkSizes.at(-1));
    await waitForTurn(() => exchange.chunkSizes.length === 2, 'the second piece');
    assert.equal(exchange.chunkSizes[1], 16 * 1024);
    exchange.disconnect();
    assertNothingHeld(site, disk);
  });

  it('gives ranges from anywhere, several at once too', async (test) => {
    const { site, disk, contents } = siteWithLargeFile(test, 3 * megabyte);
    const one = await site.ask({ target: '/large.bin', fields: { Range: 'bytes=1000000-2500000' } });
    assert.ok(one.responseBody.equals(contents.subarray(1_000_000, 2_500_001)));
    const several = await site.ask({ target: '/large.bin', fields: { Range: 'bytes=0-1499999,2000000-' } });
    assert.equal(several.bytesSent, several.length);
    assert.ok(several.responseBody.includes(contents.subarray(2_000_000)));
    assert.ok(several.responseBody.includes(contents.subarray(0, 1_500_000)));
    assertNothingHeld(site, disk);
  });

  it('costs HEAD and 304 no opening', async (test) => {
    const { site, disk } = siteWithLargeFile(test, megabyte);
    const head = await site.ask({ method: 'HEAD', target: '/large.bin' });
    assert.equal(head.length, megabyte);
    const etag = head.responseFields.get('etag') ?? '';
    assert.equal((await site.ask({ target: '/large.bin', fields: { 'If-None-Match': etag } })).status, 304);
    assert.equal(disk.calls.open, 0);
  });
});

describe('a large file that changes', () => {
  it('is cut, not ended short, when it is truncated while it is served', async (test) => {
    const { site, disk, path } = siteWithLargeFile(test, 4 * megabyte);
    const exchange = await stalledDownload(site);
    truncateSync(path, megabyte);
    exchange.drain();
    await exchange.finished;
    assert.equal(exchange.aborted, true);
    assert.equal(exchange.complete, false);
    assert.equal(changes(site), 1);
    assert.equal(exchange.context?.error?.code, 'file_unreadable');
    assertNothingHeld(site, disk);
  });

  it('is cut when it is overwritten in place while it is served', async (test) => {
    const { site, disk, path } = siteWithLargeFile(test, 4 * megabyte);
    const exchange = await stalledDownload(site);
    writeFileSync(path, randomBytes(4 * megabyte));
    exchange.drain();
    await exchange.finished;
    assert.equal(exchange.aborted, true);
    assert.equal(changes(site), 1);
    assertNothingHeld(site, disk);
  });

  it('is served to its end when it grows, is replaced by renaming, or is deleted', async (test) => {
    const { site, disk, path, contents } = siteWithLargeFile(test, 4 * megabyte);
    for (const change of [
      () => writeFileSync(path, 'more', { flag: 'a' }),
      () => {
        site.write('other', randomBytes(4 * megabyte));
        renameSync(join(site.root, 'other'), path);
      },
      () => rmSync(path),
    ]) {
      writeFileSync(path, contents);
      site.cache.configure({ ...site.cache.limits, revalidateMs: 0 });
      const exchange = await stalledDownload(site);
      change();
      exchange.drain();
      await exchange.finished;
      assert.equal(exchange.complete, true);
      assert.ok(exchange.responseBody.equals(contents));
    }
    assert.equal(changes(site), 0);
    assertNothingHeld(site, disk);
  });

  it('that changed since it was looked at is looked at again before a head is sent', async (test) => {
    const { site, disk, path } = siteWithLargeFile(test, 2 * megabyte);
    await site.ask({ method: 'HEAD', target: '/large.bin' });
    const fresh = randomBytes(megabyte);
    writeFileSync(path, fresh);
    const response = await site.ask('/large.bin');
    assert.equal(response.length, megabyte);
    assert.ok(response.responseBody.equals(fresh));
    rmSync(path);
    assert.equal((await site.ask('/large.bin')).status, 404);
    assert.equal(changes(site), 0);
    assertNothingHeld(site, disk);
  });

  it('is cut when the disk fails midway', async (test) => {
    const { site, disk } = siteWithLargeFile(test, 4 * megabyte);
    const exchange = await stalledDownload(site);
    disk.readsFail = 'EIO';
    exchange.drain();
    await exchange.finished;
    assert.equal(exchange.aborted, true);
    assert.equal(exchange.context?.error?.code, 'file_unreadable');
    assert.equal(changes(site), 0);
    assertNothingHeld(site, disk);
  });

  it('gives everything back whenever the client goes away', async (test) => {
    const { site, disk } = siteWithLargeFile(test, 4 * megabyte);
    const immediately = site.start('/large.bin');
    immediately.disconnect();
    const stalled = await stalledDownload(site);
    stalled.disconnect();
    const reading = site.start('/large.bin');
    await new Promise<void>((resolve) => {
      disk.beforeRead = () => {
        disk.beforeRead = undefined;
        setImmediate(() => {
          reading.disconnect();
          resolve();
        });
      };
    });
    await waitForTurn(() => disk.openFiles.size === 0, 'every descriptor to be closed');
    assertNothingHeld(site, disk);
  });
});

describe('many downloads', () => {
  it('of slow clients stay within the memory of the pool and all come whole', async (test) => {
    const { site, disk, contents } = siteWithLargeFile(test, 600_000, 2 * megabyte);
    const digest = createHash('sha256').update(contents).digest('hex');
    const exchanges = Array.from({ length: 300 }, () => {
      const exchange = site.start('/large.bin');
      exchange.stall();
      return exchange;
    });
    let mostLent = 0;
    let rounds = 0;
    while (exchanges.some((exchange) => !exchange.complete)) {
      mostLent = Math.max(mostLent, site.buffers.lent);
      for (const exchange of exchanges) if (exchange.stalled) exchange.drain(exchange.chunkSizes.at(-1));
      await new Promise((resolve) => setImmediate(resolve));
      assert.ok(++rounds < 100_000);
    }
    assert.ok(mostLent <= 2 * megabyte);
    for (const exchange of exchanges) {
      assert.equal(createHash('sha256').update(exchange.responseBody).digest('hex'), digest);
    }
    assertNothingHeld(site, disk);
  });

  it('go on while others take nothing at all', async (test) => {
    const { site, disk, contents } = siteWithLargeFile(test, 3 * megabyte, 4 * megabyte);
    const dead = await Promise.all(Array.from({ length: 20 }, () => stalledDownload(site)));
    const response = await site.ask('/large.bin');
    assert.ok(response.responseBody.equals(contents));
    for (const exchange of dead) exchange.disconnect();
    assertNothingHeld(site, disk);
  });

  it('that wait for memory leave the queue when they go away', async (test) => {
    const { site, disk } = siteWithLargeFile(test, megabyte, megabyte);
    const exchanges = Array.from({ length: 100 }, () => {
      const exchange = site.start('/large.bin');
      exchange.stall();
      return exchange;
    });
    await waitForTurn(() => site.buffers.waiting > 0 && disk.openFiles.size === 100, 'a queue for memory');
    for (const exchange of exchanges.toReversed()) exchange.disconnect();
    await waitForTurn(() => disk.openFiles.size === 0, 'every descriptor to be closed');
    assertNothingHeld(site, disk);
  });
});
