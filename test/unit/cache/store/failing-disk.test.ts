import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { storingPauseMs } from '../../../../src/cache/store/store-failures.ts';
import { metricNames } from '../../../../src/metrics/names.ts';
import {
  bodyOf,
  CacheStores,
  commit,
  find,
  findEntry,
  put,
  responseFor,
  writeBody,
} from '../../../support/cache-stores.ts';
import { FailingStoreDisk } from '../../../support/failing-store-disk.ts';
import { waitFor } from '../../../support/wait-for.ts';

const small = Buffer.from('a small body');
const large = randomBytes(1_000_000);

function errors(stores: CacheStores, reason: string): number {
  return stores.recorder.value(metricNames.cacheStoreErrors, { zone: 'pages', reason });
}

for (const [code, reason] of [
  ['ENOSPC', 'full'],
  ['EDQUOT', 'full'],
  ['EACCES', 'write'],
  ['EROFS', 'write'],
  ['EIO', 'write'],
] as const) {
  for (const operation of ['create', 'write', 'rename'] as const) {
    test(`leaves the disk alone for a while after ${code} of ${operation}, goes on in memory, and tries again`, async (t) => {
      const stores = new CacheStores(t);
      const disk = new FailingStoreDisk();
      const store = stores.store(disk);
      disk.failures[operation] = code;
      assert.equal(await put(store, 'a.test/large', large), undefined);
      assert.equal(errors(stores, reason), 1);
      const { create } = disk.calls;
      assert.ok(await put(store, 'a.test/small', small));
      assert.ok(store.peek('a.test/small'));
      assert.equal(store.begin('a.test/large', responseFor('a.test/large'), large.length), undefined);
      assert.equal(disk.calls.create, create);
      await waitFor(() => stores.temporaryFiles() === 0, 'the file to be gone');
      delete disk.failures[operation];
      stores.aheadMs += storingPauseMs;
      assert.ok(await put(store, 'a.test/large', large));
      store.close();
      await waitFor(() => disk.openFiles.size === 0, 'every descriptor to be closed');
    });
  }
}

test('takes what cannot be read for a miss, and does not blame the file for what is the fault of the process', async (t) => {
  const stores = new CacheStores(t);
  await put(stores.store(), 'a.test/x', small);
  for (const [operation, code] of [
    ['open', 'EMFILE'],
    ['open', 'EACCES'],
    ['read', 'ENOMEM'],
  ] as const) {
    const disk = new FailingStoreDisk();
    disk.failures[operation] = code;
    assert.equal(await find(stores.store(disk), 'a.test/x'), undefined);
    assert.equal(stores.files().length, 1);
  }
  assert.equal(errors(stores, 'read'), 3);
  const broken = new FailingStoreDisk();
  broken.failures.read = 'EIO';
  assert.equal(await find(stores.store(broken), 'a.test/x'), undefined);
  await waitFor(() => stores.files().length === 0, 'the file to be removed');
});

test('says to wait when the disk does not follow, holds no more than its bound, and goes on when it does', async (t) => {
  const stores = new CacheStores(t);
  const disk = new FailingStoreDisk();
  const store = stores.store(disk);
  const writer = store.begin('a.test/x', responseFor('a.test/x'), undefined);
  assert.ok(writer);
  await writeBody(writer, large.subarray(0, 200_000));
  disk.hang();
  let taken = 200_000;
  while (writer.write(large.subarray(taken, (taken += 50_000))))
    assert.ok(taken < large.length, 'it never says to wait');
  assert.ok(taken <= 200_000 + 600_000 + 200_000);
  let drained = false;
  writer.onDrain = () => (drained = true);
  disk.release();
  await waitFor(() => drained, 'it to say that it can go on');
  await writeBody(writer, large.subarray(taken));
  const entry = await commit(writer);
  assert.ok(entry);
  assert.ok((await bodyOf(entry)).equals(large));
});

test('does not store when no space is leased in time, and no request waits for that', async (t) => {
  const stores = new CacheStores(t);
  const store = stores.store();
  stores.keeper.close();
  store.receive({ zone: 'pages', disk: { folder: stores.folder, session: 'nobody-0' } });
  const writer = store.begin('a.test/x', responseFor('a.test/x'), large.length);
  assert.ok(writer);
  const written = writeBody(writer, large);
  stores.aheadMs += 5000;
  store.settle();
  await written;
  assert.equal(writer.failed, true);
  assert.equal(await commit(writer), undefined);
  assert.equal(errors(stores, 'slow'), 1);
});

test('reads entries that were evicted, replaced or removed to the end for whoever has them open', async (t) => {
  const stores = new CacheStores(t);
  const store = stores.store();
  const entry = await put(store, 'a.test/x', large);
  assert.ok(entry);
  const body = await new Promise<Parameters<Parameters<typeof entry.openBody>[0]>[0]>((resolve) =>
    entry.openBody(resolve),
  );
  store.remove('a.test/x');
  await put(store, 'a.test/x', randomBytes(1_000_000));
  assert.ok(body);
  const memory = Buffer.alloc(large.length);
  await new Promise<void>((resolve, reject) => {
    body.read(memory, 0, memory.length, 0, (error) => (error === null ? resolve() : reject(error)));
  });
  body.close();
  assert.ok(memory.equals(large));
});

test('goes on when a small file system is full, and never finds what did not fit', { timeout: 60_000 }, async (t) => {
  const mount = mkdtempSync(`${tmpdir()}/portico-tmpfs-`);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', mount], { stdio: 'ignore' });
  } catch (error) {
    rmSync(mount, { recursive: true });
    if (process.env['CI'] !== undefined) throw error;
    return t.skip('mounting a file system is not permitted here');
  }
  const stores = new CacheStores(t, { directory: mount, diskSize: 64 * 1024 * 1024, memorySize: 300_000 });
  t.after(() => {
    execFileSync('umount', ['--lazy', mount]);
    rmSync(mount, { recursive: true });
  });
  const store = stores.store();
  let stored = 0;
  for (let index = 0; index < 40; index++) {
    const body = Buffer.alloc(index % 2 === 0 ? 400_000 : 20_000, `${index}|`);
    if ((await put(store, `a.test/${index}`, body)) !== undefined) stored++;
    stores.aheadMs += index % 5 === 4 ? storingPauseMs : 0;
  }
  assert.ok(stored >= 10);
  assert.ok(errors(stores, 'full') >= 1);
  const other = stores.store();
  for (let index = 0; index < 40; index++) {
    const entry = await findEntry(other, `a.test/${index}`);
    const expected = Buffer.alloc(index % 2 === 0 ? 400_000 : 20_000, `${index}|`);
    if (entry !== undefined) assert.ok((await bodyOf(entry)).equals(expected));
  }
  assert.equal(errors(stores, 'corrupt'), 0);
});

test('reads at once only what it has just read and verified, and leaves what goes wrong to the usual way', async (t) => {
  const stores = new CacheStores(t);
  await put(stores.store(), 'a.test/x', large.subarray(0, 200_000));
  const disk = new FailingStoreDisk();
  const entry = await findEntry(stores.store(disk), 'a.test/x');
  assert.ok(entry);
  const memory = Buffer.alloc(256 * 1024);
  assert.equal(entry.readNow(memory), false, 'nothing was read yet');
  assert.equal(disk.calls.readNow, 0);
  assert.ok((await bodyOf(entry, 200_000)).equals(large.subarray(0, 200_000)));
  assert.equal(entry.readNow(memory), true);
  assert.ok(memory.subarray(0, 200_000).equals(large.subarray(0, 200_000)));
  disk.failures.readNow = 'EIO';
  assert.equal(entry.readNow(memory), false);
  assert.equal(stores.files().length, 1);
  delete disk.failures.readNow;
  assert.equal(entry.readNow(memory), false, 'it has to be read the usual way first');
  assert.ok((await bodyOf(entry, 200_000)).equals(large.subarray(0, 200_000)));
  assert.equal(entry.readNow(memory), true);
});
