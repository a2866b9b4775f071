import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { entryHash, entryPath } from '../../../src/cache/store/entry-key.ts';
import { metricNames } from '../../../src/metrics/names.ts';
import { CacheKeeper } from '../../../src/primary/cache-keeper.ts';
import { bodyOf, CacheStores, find, findEntry, put, responseFor, writeBody } from '../../support/cache-stores.ts';
import { waitFor } from '../../support/wait-for.ts';

const mebibyte = 1024 * 1024;
const small = Buffer.from('a small body');

/** Lets a second of the keeper's and the stores' clock pass. */
function settle(stores: CacheStores, milliseconds = 1000): Promise<void> {
  stores.aheadMs += milliseconds;
  return stores.tick();
}

test('never passes the bound, with several workers that store large bodies at once', async (t) => {
  const diskSize = 20 * mebibyte;
  const stores = new CacheStores(t, { diskSize, memorySize: mebibyte });
  const workers = [stores.store(), stores.store(), stores.store(), stores.store()];
  let largest = 0;
  let stored = 0;
  const watch = setInterval(() => (largest = Math.max(largest, stores.diskBytes())), 1);
  const work = async (worker: number): Promise<void> => {
    for (let round = 0; round < 12; round++) {
      const key = `a.test/${worker}-${round}`;
      const body = Buffer.alloc(500_000 + ((worker * 7 + round * 13) % 20) * 100_000, key);
      if ((await put(workers[worker] as never, key, body)) !== undefined) stored++;
    }
  };
  await Promise.all([0, 1, 2, 3].map(work));
  clearInterval(watch);
  largest = Math.max(largest, stores.diskBytes());
  assert.ok(largest <= diskSize * 1.02, `${largest} of ${diskSize} bytes`);
  assert.ok(stored >= 40, `${stored} of 48 were stored`);
  assert.ok(largest > diskSize * 0.7);
});

test('lets those go first that were used least recently, as workers tell', async (t) => {
  const stores = new CacheStores(t, { diskSize: 4 * mebibyte });
  const store = stores.store();
  for (let index = 0; index < 10; index++) await put(store, `a.test/${index}`, Buffer.alloc(200_000, index));
  await waitFor(() => stores.entries() === 10, 'ten entries');
  await settle(stores, 40_000);
  for (const key of ['a.test/0', 'a.test/1']) await findEntry(store, key);
  await settle(stores);
  await waitFor(() => stores.uses > 0, 'the uses to be told');
  for (let index = 10; index < 26; index++) await put(store, `a.test/${index}`, Buffer.alloc(200_000, index));
  await waitFor(() => stores.diskBytes() <= 4 * mebibyte, 'the bound to be kept');
  const other = stores.store();
  assert.ok(await find(other, 'a.test/0'));
  assert.ok(await find(other, 'a.test/1'));
  assert.equal(await find(other, 'a.test/2'), undefined);
  assert.ok(stores.recorder.value(metricNames.cacheEvicted, { zone: 'pages', reason: 'size' }) > 0);
});

test('lets go of what nobody has used for the time of `inactive`, markers included', async (t) => {
  const stores = new CacheStores(t, { inactive: 600_000 });
  const store = stores.store();
  await put(store, 'a.test/used', small);
  await put(store, 'a.test/unused', small);
  store.mark('a.test/marker', { key: 'a.test/marker', names: ['cookie'], requestTime: 1 });
  await waitFor(() => stores.entries() === 3, 'three entries');
  await settle(stores, 400_000);
  store.peek('a.test/used');
  await settle(stores);
  await waitFor(() => stores.uses > 0, 'the use to be told');
  await settle(stores, 300_000);
  await waitFor(() => stores.files().length === 1, 'two to go');
  assert.ok(await find(stores.store(), 'a.test/used'));
  assert.equal(stores.recorder.value(metricNames.cacheEvicted, { zone: 'pages', reason: 'inactive' }), 2);
});

test('after a restart everything is found before the folder was looked through, and counted afterwards', async (t) => {
  const stores = new CacheStores(t);
  const store = stores.store();
  for (let index = 0; index < 200; index++) await put(store, `a.test/${index}`, Buffer.alloc(3000, index));
  await waitFor(() => stores.entries() === 200, 'all to be told');
  const bytes = stores.diskBytes();
  stores.keeper.close();
  const again = new CacheStores(t, stores.config);
  assert.equal(again.entries(), 0);
  assert.deepEqual((await findEntry(again.store(), 'a.test/77'))?.contents, Buffer.alloc(3000, 77));
  await waitFor(() => again.entries() === 200, 'the scan');
  assert.equal(again.keeper.candidates('pages', { kind: 'host', host: 'a.test' }).length, 200);
  await again.tick();
  const gauge = (): number => again.recorder.value(metricNames.cacheBytes, { zone: 'pages', store: 'disk' });
  await waitFor(() => gauge() === bytes, 'the gauge to say what is on disk');
});

test('knows from the files when they were used last', async (t) => {
  const stores = new CacheStores(t);
  for (const key of ['a.test/new', 'a.test/old']) await put(stores.store(), key, small);
  stores.keeper.close();
  const old = Date.now() / 1000 - 3600;
  utimesSync(entryPath(stores.folder, entryHash('a.test/old')), old, old);
  const again = new CacheStores(t, stores.config);
  await waitFor(() => again.entries() === 2, 'the scan');
  await again.tick();
  await waitFor(() => again.entries() === 1, 'the old one to go');
  assert.ok(await find(again.store(), 'a.test/new'));
});

test('deletes what dead processes were writing, and finds what they wrote and did not tell of', async (t) => {
  const stores = new CacheStores(t);
  const store = stores.store();
  const writer = store.begin('a.test/x', responseFor('a.test/x'), mebibyte);
  assert.ok(writer);
  await writeBody(writer, randomBytes(500_000));
  await waitFor(() => stores.temporaryFiles() === 1, 'the file');
  await put(stores.store(), 'a.test/y', small);
  await waitFor(() => stores.entries() === 1, 'the other one');
  const path = entryPath(stores.folder, entryHash('a.test/z'));
  mkdirSync(path.slice(0, path.lastIndexOf('/')), { recursive: true });
  writeFileSync(path, readFileSync(stores.files()[0] as string));
  stores.keeper.died(0);
  assert.equal(stores.temporaryFiles(), 0);
  await stores.tick();
  // It is not whose it pretends to be.
  await waitFor(() => !existsSync(path), 'what is no entry to go');
  assert.equal(stores.entries(), 1);
});

test('deletes what was being written when the whole program died', async (t) => {
  const stores = new CacheStores(t);
  stores.keeper.close();
  writeFileSync(`${stores.folder}/tmp/run-0-0-abc`, 'half');
  const again = new CacheStores(t, stores.config);
  assert.equal(again.temporaryFiles(), 0);
});

test('leaves the folder to another instance that lives, and takes it when that one has gone', async (t) => {
  const stores = new CacheStores(t);
  const other = new CacheStores(t, stores.config);
  const store = other.store();
  assert.deepEqual(other.logger.messages('error'), ['the cache does without its folder']);
  await put(stores.store(), 'a.test/x', small);
  assert.equal(await find(store, 'a.test/x'), undefined);
  assert.ok(await put(store, 'a.test/memory', small));
  assert.equal(other.files().length, 1);
  stores.keeper.close();
  await settle(other, 6000);
  await waitFor(async () => (await find(store, 'a.test/x')) !== undefined, 'the folder to be taken over');
});

test('takes the folder from a process that is dead, or another one by now', (t) => {
  const stores = new CacheStores(t);
  const lock = `${stores.folder}/lock`;
  const own = JSON.parse(readFileSync(lock, 'utf8')) as { pid: number; place: string };
  stores.keeper.close();
  assert.equal(existsSync(lock), false);
  for (const text of [
    JSON.stringify({ ...own, pid: 2 ** 22 + 5, nonce: 'x' }),
    JSON.stringify({ ...own, started: '12', nonce: 'x' }),
    'nonsense',
  ]) {
    writeFileSync(lock, text);
    const again = new CacheStores(t, stores.config);
    assert.deepEqual(again.logger.messages('error'), []);
    again.keeper.close();
  }
});

test('takes the folder from a container that has been silent, not from one that speaks', (t) => {
  const stores = new CacheStores(t);
  const lock = `${stores.folder}/lock`;
  const own = JSON.parse(readFileSync(lock, 'utf8')) as object;
  stores.keeper.close();
  writeFileSync(lock, JSON.stringify({ ...own, place: 'elsewhere', nonce: 'x' }));
  const refused = new CacheStores(t, stores.config);
  assert.equal(refused.logger.messages('error').length, 1);
  refused.keeper.close();
  utimesSync(lock, Date.now() / 1000 - 60, Date.now() / 1000 - 60);
  assert.deepEqual(new CacheStores(t, stores.config).logger.messages('error'), []);
});

test('deletes from disk what a hard purge concerns and makes stale what a soft one does', async (t) => {
  const stores = new CacheStores(t);
  const store = stores.store();
  const large = randomBytes(300_000);
  await put(store, 'a.test/hard', large, { tags: ['one'] });
  await put(store, 'a.test/soft', large, { tags: ['two'], responseTime: 1000, lifetime: 60_000 });
  await put(store, 'a.test/other', large, { tags: ['three'] });
  await waitFor(() => stores.entries() === 3, 'three entries');
  const order = { zone: 'pages', time: 5000 };
  const orders = [
    { ...order, id: 1, what: { kind: 'tag', tag: 'one' }, soft: false },
    { ...order, id: 2, what: { kind: 'tag', tag: 'two' }, soft: true },
  ] as const;
  assert.equal(await stores.keeper.sweep('pages', orders), false);
  assert.equal(await stores.keeper.sweep('pages', orders), true);
  const other = stores.store();
  assert.equal(await find(other, 'a.test/hard'), undefined);
  const soft = await findEntry(other, 'a.test/soft');
  assert.equal(soft?.response.lifetime, 4000);
  assert.ok(soft !== undefined && (await bodyOf(soft)).equals(large));
  assert.equal((await findEntry(other, 'a.test/other'))?.response.lifetime, 60_000);
  assert.equal(stores.recorder.value(metricNames.cacheEvicted, { zone: 'pages', reason: 'purged' }), 1);
});

test('takes another bound and another directory at reload', async (t) => {
  const stores = new CacheStores(t);
  const store = stores.store();
  for (let index = 0; index < 20; index++) await put(store, `a.test/${index}`, randomBytes(200_000));
  await waitFor(() => stores.entries() === 20, 'twenty entries');
  stores.keeper.configure([{ ...stores.config, diskSize: 2 * mebibyte }]);
  await waitFor(() => stores.diskBytes() <= 2 * mebibyte, 'the bound to be kept');
  stores.keeper.configure([{ ...stores.config, directory: `${stores.directory}/elsewhere` }]);
  assert.ok(await put(store, 'a.test/new', randomBytes(200_000)));
  assert.equal(existsSync(`${stores.folder}/lock`), false);
  const names = readdirSync(`${stores.directory}/elsewhere/pages`, { recursive: true, encoding: 'utf8' });
  assert.ok(names.includes(`${entryHash('a.test/new').slice(0, 2)}/${entryHash('a.test/new').slice(2)}`));
});

test('does without zones that have no directory', () => {
  const stub = { add: () => undefined, set: () => undefined };
  const recorder = { counter: () => stub, gauge: () => stub, histogram: () => ({ observe: () => undefined }) };
  const keeper = new CacheKeeper({ recorder, logger: console as never, now: Date.now });
  keeper.configure([{ name: 'memory', directory: undefined, diskSize: 0, memorySize: 1, memoryEntry: 1, inactive: 1 }]);
  keeper.joined(1, { send: () => assert.fail('there is nothing to be said') });
  keeper.close();
});
