import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { entryHash, entryPath } from '../../../../src/cache/store/entry-key.ts';
import type { StoredResponse } from '../../../../src/cache/stored-response.ts';
import { metricNames } from '../../../../src/metrics/names.ts';
import {
  bodyOf,
  CacheStores,
  commit,
  find,
  findEntry,
  openBody,
  put,
  readBody,
  responseFor,
  writeBody,
} from '../../../support/cache-stores.ts';
import { waitFor } from '../../../support/wait-for.ts';

const small = Buffer.from('a small body');
const large = randomBytes(1_000_000);

function errors(stores: CacheStores, reason: string): number {
  return stores.recorder.value(metricNames.cacheStoreErrors, { zone: 'pages', reason });
}

test('finds in memory what was stored, and in another worker from disk', async (t) => {
  const stores = new CacheStores(t);
  const one = stores.store();
  const other = stores.store();
  const stored = await put(one, 'a.test/x', small);
  assert.ok(stored);
  assert.deepEqual(one.peek('a.test/x'), stored);
  assert.equal(other.peek('a.test/x'), undefined);
  const found = await findEntry(other, 'a.test/x');
  assert.equal(found?.source, 'disk');
  assert.deepEqual(found?.contents, small);
  assert.deepEqual(found?.response, { ...responseFor('a.test/x'), bodyLength: small.length });
  assert.equal(other.peek('a.test/x'), found);
  assert.equal(found?.source, 'memory');
});

test('works from memory alone without a directory', async (t) => {
  const stores = new CacheStores(t, { directory: undefined });
  const store = stores.store();
  await put(store, 'a.test/x', small);
  assert.deepEqual((await findEntry(store, 'a.test/x'))?.contents, small);
  assert.equal(await put(store, 'a.test/large', large), undefined);
  store.remove('a.test/x');
  assert.equal(store.peek('a.test/x'), undefined);
});

test('takes an entry that one worker removed out of every memory', async (t) => {
  const stores = new CacheStores(t, { directory: undefined });
  const [one, other] = [stores.store(), stores.store()];
  await put(one, 'a.test/x', small);
  await put(other, 'a.test/x', small);
  one.remove('a.test/x');
  await waitFor(() => other.peek('a.test/x') === undefined, 'the other worker to forget it');
});

test('takes an entry that one worker replaced out of the memory of others', async (t) => {
  const stores = new CacheStores(t);
  const [one, other] = [stores.store(), stores.store()];
  await put(one, 'a.test/x', small);
  await findEntry(other, 'a.test/x');
  await put(one, 'a.test/x', Buffer.from('new'), { responseTime: 2000 });
  await waitFor(() => other.peek('a.test/x') === undefined, 'the other worker to forget it');
  assert.equal((await findEntry(other, 'a.test/x'))?.contents?.toString(), 'new');
});

test('holds no more in memory than it may, and lets go of what was used least recently', async (t) => {
  const stores = new CacheStores(t, { directory: undefined, memorySize: 300_000, memoryEntry: 40_000 });
  const store = stores.store();
  for (let index = 0; index < 50; index++) {
    await put(store, `a.test/${index}`, Buffer.alloc(30_000, index));
    assert.ok(store.memory.bytes <= 300_000);
    store.peek('a.test/0');
  }
  assert.ok(store.peek('a.test/0'));
  assert.ok(store.peek('a.test/49'));
  assert.equal(store.peek('a.test/20'), undefined);
});

test('counts what slow clients hold against the memory, also after it left', async (t) => {
  const stores = new CacheStores(t, { directory: undefined, memorySize: 100_000, memoryEntry: 60_000 });
  const store = stores.store();
  const held = await put(store, 'a.test/held', Buffer.alloc(60_000, 1));
  held?.pin();
  store.remove('a.test/held');
  assert.ok(store.memory.bytes >= 60_000);
  assert.equal(await put(store, 'a.test/more', Buffer.alloc(60_000, 2)), undefined);
  assert.deepEqual(held?.contents, Buffer.alloc(60_000, 1));
  held?.unpin();
  assert.equal(store.memory.bytes, 0);
  assert.ok(await put(store, 'a.test/more', Buffer.alloc(60_000, 2)));
});

test('stores and reads large bodies from files, verified wherever a read begins', async (t) => {
  const stores = new CacheStores(t);
  const store = stores.store();
  const entry = await put(store, 'a.test/large', large);
  assert.ok(entry);
  assert.equal(entry.contents, undefined);
  assert.deepEqual(await bodyOf(entry, 77_777), large);
  const again = await findEntry(stores.store(), 'a.test/large');
  assert.ok(again);
  const body = await openBody(again);
  assert.ok(body);
  assert.deepEqual(await readBody(body, 123_456, 10), large.subarray(123_456, 123_466));
  assert.deepEqual(await readBody(body, 999_999, 1), large.subarray(999_999));
  assert.deepEqual(await readBody(body, 65_530, 200_000), large.subarray(65_530, 265_530));
  body.close();
});

test('takes a body of unknown length into a file when it grows too large for memory', async (t) => {
  const stores = new CacheStores(t);
  const store = stores.store();
  const writer = store.begin('a.test/grows', responseFor('a.test/grows'), undefined);
  assert.ok(writer);
  await writeBody(writer, large, 10_000);
  const entry = await commit(writer);
  assert.ok(entry);
  assert.deepEqual(await bodyOf(entry), large);
  assert.equal(entry.response.bodyLength, large.length);
});

test('holds no more memory than it counts for a body of unknown length', async (t) => {
  const stores = new CacheStores(t);
  const writer = stores.store().begin('a.test/x', responseFor('a.test/x'), undefined);
  assert.ok(writer);
  for (let count = 0; count < 3; count++) writer.write(Buffer.alloc(3000));
  const entry = await commit(writer);
  assert.equal(entry?.contents?.length, 9000);
  assert.ok((entry?.contents?.buffer.byteLength ?? 0) <= 9512);
});

test('keeps a large body when its head grows', async (t) => {
  const stores = new CacheStores(t);
  const store = stores.store();
  const entry = await put(store, 'a.test/x', large);
  assert.ok(entry);
  const block = Buffer.concat([entry.response.block, Buffer.from(`X-Long: ${'y'.repeat(3000)}\r\n`)]);
  store.renew('a.test/x', entry, { ...entry.response, block, responseTime: 9000 });
  await waitFor(async () => {
    const found = await findEntry(stores.store(), 'a.test/x');
    return found?.response.responseTime === 9000 && (await bodyOf(found)).equals(large);
  }, 'the renewed head');
});

test('lets others read along in memory, and in the file as soon as somebody asks for one', async (t) => {
  const stores = new CacheStores(t);
  const writer = stores.store().begin('a.test/slow', responseFor('a.test/slow'), undefined);
  assert.ok(writer);
  writer.write(Buffer.from('first '));
  assert.ok(writer.file === undefined);
  assert.equal(Buffer.from(writer.held(2) ?? []).toString(), 'rst ');
  writer.share();
  writer.write(Buffer.from('second'));
  await waitFor(() => writer.written === 12, 'both in the file');
  const file = writer.file as { path: string; bodyOffset: number } | undefined;
  assert.ok(file);
  assert.equal(readFileSync(file.path).subarray(file.bodyOffset).toString(), 'first second');
  const entry = await commit(writer);
  assert.ok(entry);
  assert.equal((await bodyOf(entry)).toString(), 'first second');
});

test('keeps nothing of what was abandoned, or came to another length than announced', async (t) => {
  const stores = new CacheStores(t);
  const store = stores.store();
  const abandoned = store.begin('a.test/1', responseFor('a.test/1'), large.length);
  assert.ok(abandoned);
  await writeBody(abandoned, large.subarray(0, 500_000));
  abandoned.abandon();
  const short = store.begin('a.test/2', responseFor('a.test/2'), 100);
  assert.ok(short);
  short.write(small);
  assert.equal(await commit(short), undefined);
  const long = store.begin('a.test/3', responseFor('a.test/3'), 5);
  assert.ok(long);
  long.write(small);
  assert.equal(long.failed, true);
  assert.equal(await commit(long), undefined);
  await waitFor(() => stores.diskBytes() === 0, 'every file to be gone');
  for (const key of ['a.test/1', 'a.test/2', 'a.test/3']) assert.equal(await find(store, key), undefined);
  assert.equal(store.memory.bytes, 0);
});

test('keeps that a key varies, in memory and on disk', async (t) => {
  const stores = new CacheStores(t);
  const store = stores.store();
  const marker = { key: 'a.test/x', names: ['accept-language', 'cookie'], requestTime: 5 };
  store.mark('a.test/x', marker);
  const { key, names, requestTime } = (await find(store, 'a.test/x')) as typeof marker;
  assert.deepEqual({ key, names, requestTime }, marker);
  await waitFor(() => stores.files().length === 1, 'the file');
  const found = (await find(stores.store(), 'a.test/x')) as typeof marker;
  assert.deepEqual(found.names, marker.names);
});

test('puts a renewed head in the place of the old one, for small and large bodies, for every worker', async (t) => {
  const stores = new CacheStores(t);
  const [one, other] = [stores.store(), stores.store()];
  for (const body of [small, large]) {
    const key = `a.test/${body.length}`;
    const entry = await put(one, key, body);
    assert.ok(entry);
    const stale = await findEntry(other, key);
    const renewed: StoredResponse = { ...entry.response, responseTime: 9000, lifetime: 1, etag: '"1"' };
    one.renew(key, entry, renewed);
    assert.deepEqual((await findEntry(one, key))?.response, renewed);
    assert.equal(stale?.response.responseTime, 1010);
    await waitFor(async () => (await findEntry(other, key))?.response.responseTime === 9000, 'the renewed head');
    const found = await findEntry(stores.store(), key);
    assert.ok(found);
    assert.deepEqual(found.response, renewed);
    assert.deepEqual(await bodyOf(found), body);
  }
});

test('does not put a renewed head onto a body that came into the place of its own', async (t) => {
  const stores = new CacheStores(t);
  const [one, other] = [stores.store(), stores.store()];
  const entry = await put(one, 'a.test/x', small);
  assert.ok(entry);
  await put(other, 'a.test/x', Buffer.from('other'), { etag: '"2"', responseTime: 5000 });
  one.renew('a.test/x', entry, { ...entry.response, responseTime: 9000 });
  const found = await findEntry(stores.store(), 'a.test/x');
  assert.equal(found?.response.etag, '"2"');
  assert.equal(found?.contents?.toString(), 'other');
});

test('keeps the body of an entry readable for who holds it when the head grew out of its place', async (t) => {
  const stores = new CacheStores(t);
  const store = stores.store();
  const entry = await put(store, 'a.test/x', small);
  assert.ok(entry);
  const block = Buffer.concat([entry.response.block, Buffer.from(`X-Long: ${'y'.repeat(5000)}\r\n`)]);
  store.renew('a.test/x', entry, { ...entry.response, block, responseTime: 9000 });
  await waitFor(async () => {
    const found = await findEntry(stores.store(), 'a.test/x');
    return found?.response.responseTime === 9000 && found.response.block.equals(block);
  }, 'the renewed head in a new file');
});

test('never finds what a hard purge concerns, in memory or on disk, and says of a soft one that it is purged', async (t) => {
  const stores = new CacheStores(t);
  const store = stores.store();
  await put(store, 'a.test/hard', small, { tags: ['one'] });
  await put(store, 'a.test/soft', small, { tags: ['two'] });
  const order = { zone: 'pages', time: 1500 };
  stores.purges.add([
    { ...order, id: 1, what: { kind: 'tag', tag: 'one' }, soft: false },
    { ...order, id: 2, what: { kind: 'tag', tag: 'two' }, soft: true },
  ]);
  assert.equal(store.peek('a.test/hard'), undefined);
  assert.equal(await find(store, 'a.test/hard'), undefined);
  assert.equal(await find(stores.store(), 'a.test/hard'), undefined);
  assert.equal((await findEntry(store, 'a.test/soft'))?.purged, true);
  const late = store.begin(
    'a.test/late',
    responseFor('a.test/late', { tags: ['one'], requestTime: 1499 }),
    small.length,
  );
  assert.ok(late);
  late.write(small);
  assert.equal(await commit(late), undefined);
  assert.ok(await put(store, 'a.test/after', small, { tags: ['one'], requestTime: 1501 }));
});

for (const [part, offsetOf] of [
  ['preamble', () => 9],
  ['head', () => 60],
  ['body', (size: number) => size - 40_000],
  ['trailer', (size: number) => size - 5],
] as const) {
  for (const body of [randomBytes(50_000), large]) {
    test(`takes a flipped bit in the ${part} of ${body.length} bytes for a miss, and removes the file`, async (t) => {
      const stores = new CacheStores(t);
      await put(stores.store(), 'a.test/x', body);
      const [path] = stores.files() as [string];
      const bytes = readFileSync(path);
      const offset = offsetOf(bytes.length);
      bytes[offset] = (bytes[offset] as number) ^ 4;
      writeFileSync(path, bytes);
      const store = stores.store();
      const entry = await findEntry(store, 'a.test/x');
      if (entry !== undefined) await assert.rejects(bodyOf(entry));
      await waitFor(() => stores.files().length === 0, 'the file to be removed');
      assert.ok(errors(stores, 'corrupt') >= 1);
      assert.equal(await find(store, 'a.test/x'), undefined);
    });
  }
}

test('takes a truncated file for a miss, wherever it was cut', async (t) => {
  const stores = new CacheStores(t);
  for (const share of [0, 0.001, 0.01, 0.5, 0.999]) {
    await put(stores.store(), 'a.test/x', large);
    const [path] = stores.files() as [string];
    truncateSync(path, Math.floor(statSync(path).size * share));
    assert.equal(await find(stores.store(), 'a.test/x'), undefined);
    await waitFor(() => stores.files().length === 0, 'the file to be removed');
  }
});

test("takes another key's file for a miss", async (t) => {
  const stores = new CacheStores(t);
  await put(stores.store(), 'a.test/x', small);
  const [path] = stores.files() as [string];
  const other = entryPath(stores.folder, entryHash('a.test/other'));
  mkdirSync(other.slice(0, other.lastIndexOf('/')), { recursive: true });
  writeFileSync(other, readFileSync(path));
  assert.equal(await find(stores.store(), 'a.test/other'), undefined);
  assert.ok(await find(stores.store(), 'a.test/x'));
});

test('goes on when the directory is removed, and stores again', async (t) => {
  const stores = new CacheStores(t);
  const store = stores.store();
  await put(store, 'a.test/x', small);
  rmSync(stores.directory, { recursive: true });
  assert.equal(await find(stores.store(), 'a.test/x'), undefined);
  assert.ok(await put(store, 'a.test/y', large));
  assert.ok(await find(stores.store(), 'a.test/y'));
});

test('has its folder and files for nobody else', async (t) => {
  const stores = new CacheStores(t);
  await put(stores.store(), 'a.test/x', large);
  const [path] = stores.files() as [string];
  assert.equal(statSync(path).mode & 0o777, 0o600);
  for (const folder of [stores.folder, `${stores.folder}/tmp`, path.slice(0, path.lastIndexOf('/'))]) {
    assert.equal(statSync(folder).mode & 0o777, 0o700);
  }
});

test('is in memory only where the directory cannot be made', async (t) => {
  const parent = new CacheStores(t);
  writeFileSync(`${parent.directory}/file`, '');
  const stores = new CacheStores(t, { directory: `${parent.directory}/file/cache` });
  const store = stores.store();
  assert.ok(await put(store, 'a.test/x', small));
  assert.ok(store.peek('a.test/x'));
  assert.equal(await put(store, 'a.test/y', large), undefined);
  assert.deepEqual(stores.logger.messages('error'), ['the cache does without its folder']);
});
