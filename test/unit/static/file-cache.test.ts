import assert from 'node:assert/strict';
import { renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { metricNames } from '../../../src/metrics/names.ts';
import { FailingDisk } from '../../support/failing-disk.ts';
import { StaticSite } from '../../support/static-site.ts';
import { waitFor, waitForTurn } from '../../support/wait-for.ts';

const forever = 3_600_000;

describe('the file cache', () => {
  it('answers from memory without asking the disk, within the call', async (test) => {
    const disk = new FailingDisk();
    const site = new StaticSite(test, { disk, revalidateMs: forever });
    site.write('a.txt', 'x');
    await site.ask('/a.txt');
    const calls = { ...disk.calls };
    const response = site.start('/a.txt');
    assert.equal(response.complete, true);
    assert.equal(response.responseBody.toString(), 'x');
    assert.deepEqual(disk.calls, calls);
  });

  it('reads a file once for any number of requests at the same time', async (test) => {
    const disk = new FailingDisk();
    const site = new StaticSite(test, { disk, revalidateMs: forever });
    site.write('a.txt', 'x');
    const responses = Array.from({ length: 50 }, () => site.start('/a.txt'));
    await Promise.all(responses.map((response) => response.finished));
    assert.ok(responses.every((response) => response.responseBody.toString() === 'x'));
    assert.equal(disk.calls.open, 1);
    assert.equal(disk.calls.read, 1);
  });

  it('goes on for the others when one of those who wait goes away', async (test) => {
    const site = new StaticSite(test, { revalidateMs: forever });
    site.write('a.txt', 'x');
    const [first, second] = [site.start('/a.txt'), site.start('/a.txt')];
    first.disconnect();
    await second.finished;
    assert.equal(second.status, 200);
    assert.equal(first.responded, false);
  });

  it('shows an edit, a replacement, a deletion and a new file at the next look', async (test) => {
    const site = new StaticSite(test);
    const path = site.write('a.txt', 'one');
    const ask = async () => (await site.ask('/a.txt')).responseBody.toString();
    assert.equal(await ask(), 'one');
    site.write('a.txt', 'two', new Date(Date.now() - 1_800_000));
    assert.equal(await ask(), 'two');
    site.write('b.txt', 'new');
    renameSync(join(site.root, 'b.txt'), path);
    assert.equal(await ask(), 'new');
    rmSync(path);
    assert.equal((await site.ask('/a.txt')).status, 404);
    site.write('a.txt', 'back');
    assert.equal(await ask(), 'back');
  });

  it('notices an edit that kept size and time, and one within the tick of a coarse clock', async (test) => {
    const site = new StaticSite(test);
    const path = site.write('a.txt', 'one');
    await site.ask('/a.txt');
    const { atime, mtime } = statSync(path);
    writeFileSync(path, 'two');
    utimesSync(path, atime, mtime);
    assert.equal((await site.ask('/a.txt')).responseBody.toString(), 'two');
  });

  it('trusts an entry until its time is up', async (test) => {
    const site = new StaticSite(test, { revalidateMs: 50 });
    const path = site.write('a.txt', 'one');
    await site.ask('/a.txt');
    rmSync(path);
    await waitFor(async () => (await site.ask('/a.txt')).status === 404, 'the time to be up');
  });

  it('reads nothing again when only the look was due', async (test) => {
    const disk = new FailingDisk();
    const site = new StaticSite(test, { disk });
    site.write('a.txt', 'x');
    for (let index = 0; index < 5; index++) await site.ask('/a.txt');
    assert.equal(disk.calls.read, 1);
  });
});

describe('the bound of the file cache', () => {
  it('stays below its bound, overhead included, with many files', async (test) => {
    const maxBytes = 256 * 1024;
    const site = new StaticSite(test, { maxBytes, revalidateMs: forever });
    for (let index = 0; index < 100; index++) site.write(`f${index}`, Buffer.alloc(10_000));
    for (let index = 0; index < 100; index++) {
      assert.equal((await site.ask(`/f${index}`)).bytesSent, 10_000);
      assert.ok(site.cache.bytes <= maxBytes);
    }
    assert.ok(site.cache.bytes > maxBytes / 2);
    assert.equal(site.recorder.value(metricNames.fileCacheEntries), site.cache.entryCount);
  });

  it('keeps what is used and drops what is not', async (test) => {
    const site = new StaticSite(test, { maxBytes: 100 * 1024, revalidateMs: forever });
    site.write('hot', Buffer.alloc(10_000));
    for (let index = 0; index < 30; index++) {
      site.write(`cold${index}`, Buffer.alloc(10_000));
      await site.ask('/hot');
      await site.ask(`/cold${index}`);
    }
    assert.equal(site.start('/hot').complete, true);
    assert.equal(site.start('/cold0').complete, false);
  });

  it('remembers what is not there, within a bound that spares the files', async (test) => {
    const disk = new FailingDisk();
    const site = new StaticSite(test, { disk, maxBytes: 256 * 1024, revalidateMs: forever });
    site.write('a.txt', Buffer.alloc(50_000));
    await site.ask('/a.txt');
    assert.equal((await site.ask('/missing')).status, 404);
    const calls = disk.calls.stat;
    assert.equal(site.start('/missing').status, 404);
    assert.equal(disk.calls.stat, calls);
    for (let index = 0; index < 2000; index++) await site.ask(`/missing/${index}`);
    assert.ok(site.cache.entryCount < 200);
    assert.equal(site.start('/a.txt').complete, true);
  });

  it('counts contents that slow clients hold after they left the cache', async (test) => {
    const site = new StaticSite(test, { maxBytes: 400_000, maxFileBytes: 200_000, revalidateMs: forever });
    for (const name of ['a', 'b', 'c', 'd']) site.write(name, Buffer.alloc(150_000, name));
    const slow = [];
    for (const name of ['a', 'b']) {
      await site.ask({ method: 'HEAD', target: `/${name}` });
      const exchange = site.start({ target: `/${name}` });
      exchange.stall();
      await waitForTurn(() => exchange.stalled, 'the client to fall behind');
      slow.push(exchange);
    }
    for (const name of ['c', 'd']) assert.equal((await site.ask(`/${name}`)).bytesSent, 150_000);
    assert.ok(site.cache.bytes <= 400_000, String(site.cache.bytes));
    assert.ok(site.cache.bytes >= 300_000);
    for (const exchange of slow) exchange.drain();
    assert.deepEqual(slow[0]?.responseBody, Buffer.alloc(150_000, 'a'));
    assert.equal(slow[1]?.complete, true);
    await site.ask('/c');
    await site.ask('/d');
    assert.ok(site.cache.bytes <= 400_000);
  });

  it('lets contents go when a slow client goes away', async (test) => {
    const site = new StaticSite(test, { maxBytes: 200_000, maxFileBytes: 200_000, revalidateMs: forever });
    site.write('a', Buffer.alloc(150_000));
    const exchange = site.start('/a');
    exchange.stall();
    await waitForTurn(() => exchange.stalled, 'the client to fall behind');
    site.cache.configure({ maxBytes: 0, maxFileBytes: 0, revalidateMs: 0 });
    assert.equal(site.cache.bytes, 150_000);
    exchange.disconnect();
    assert.equal(site.cache.bytes, 0);
  });

  it('serves everything without keeping anything when its size is 0', async (test) => {
    const site = new StaticSite(test, { maxBytes: 0, revalidateMs: forever });
    site.write('a.txt', 'hello');
    site.write('empty', '');
    for (let index = 0; index < 2; index++) {
      assert.equal((await site.ask('/a.txt')).responseBody.toString(), 'hello');
      assert.equal((await site.ask('/empty')).status, 200);
      assert.equal((await site.ask('/missing')).status, 404);
    }
    assert.equal(site.cache.entryCount, 0);
    assert.equal(site.cache.bytes, 0);
  });
});

describe('a small file that changes while it is read', () => {
  it('never sends a mixture of two states of a small file', async (test) => {
    const disk = new FailingDisk();
    const site = new StaticSite(test, { disk });
    const path = site.write('a.txt', 'a'.repeat(1000));
    disk.beforeRead = () => {
      disk.beforeRead = undefined;
      writeFileSync(path, 'b'.repeat(500));
    };
    const response = await site.ask('/a.txt');
    assert.equal(response.responseBody.toString(), 'b'.repeat(500));
    assert.equal(response.length, 500);
    assert.equal(disk.openFiles.size, 0);
  });

  it('serves a small file that grows all the time', async (test) => {
    const disk = new FailingDisk();
    const site = new StaticSite(test, { disk });
    const path = site.write('log', 'line\n');
    disk.beforeRead = () => writeFileSync(path, 'line\n', { flag: 'a' });
    const response = await site.ask('/log');
    assert.equal(response.status, 200);
    assert.match(response.responseBody.toString(), /^(line\n)+$/);
  });
});
