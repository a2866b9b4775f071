import assert from 'node:assert/strict';
import { appendFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { PurgeOrder } from '../../../src/cache/purge.ts';
import { PurgeJournal } from '../../../src/primary/purge-journal.ts';

function order(id: number): PurgeOrder {
  return { id, zone: 'default', time: id * 10, what: { kind: 'tag', tag: `tag ${id}\nx` }, soft: false };
}

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'purge-journal-'));
  t.after(() => rm(path, { recursive: true, force: true, maxRetries: 5 }));
  return path;
}

async function loaded(path: string) {
  const journal = new PurgeJournal(path);
  const record = journal.load();
  await journal.close();
  return { ids: record.orders.map(({ id }) => id), damage: record.damage, orders: record.orders };
}

test('orders are there again after a restart, those forgotten are not', async (t) => {
  const path = join(await folder(t), 'zone');
  const journal = new PurgeJournal(path);
  assert.deepEqual(journal.load(), { orders: [], damage: undefined });
  await journal.append([order(1), order(2)]);
  await Promise.all([journal.append([order(3)]), journal.append([order(4)]), journal.retire([2])]);
  await journal.close();
  const { ids, orders, damage } = await loaded(path);
  assert.deepEqual(ids, [1, 3, 4]);
  assert.deepEqual(orders[0], order(1));
  assert.equal(damage, undefined);
});

test('a folder without a journal is not made by looking', async (t) => {
  const path = join(await folder(t), 'zone');
  const journal = new PurgeJournal(path);
  journal.load();
  await journal.flush();
  await assert.rejects(stat(path), { code: 'ENOENT' });
});

test('a line that was being written when the machine stopped is passed over', async (t) => {
  const path = await folder(t);
  const journal = new PurgeJournal(path);
  await journal.append([order(1)]);
  await journal.close();
  await appendFile(join(path, 'purge-orders.jsonl'), '{"id":2,"zone":"def');
  assert.deepEqual((await loaded(path)).ids, [1]);
  assert.equal((await loaded(path)).damage, undefined);
});

test('a line that nobody wrote is damage, and the others still count', async (t) => {
  const path = await folder(t);
  await writeFile(
    join(path, 'purge-orders.jsonl'),
    `${JSON.stringify(order(1))}\n{"id":"x"}\n${JSON.stringify(order(3))}\n`,
  );
  const { ids, damage } = await loaded(path);
  assert.deepEqual(ids, [1, 3]);
  assert.ok(damage);
});

test('a journal that cannot be read is damage', async (t) => {
  const path = await folder(t);
  await mkdir(join(path, 'purge-orders.jsonl'));
  assert.match((await loaded(path)).damage ?? '', /EISDIR/);
});

test('what could not be written is written with what comes next', async (t) => {
  const path = join(await folder(t), 'zone');
  await writeFile(path, 'a file where the folder should be');
  const journal = new PurgeJournal(path);
  await assert.rejects(journal.append([order(1)]), { code: /EEXIST|ENOTDIR/ });
  assert.equal(journal.durable, false);
  await rm(path);
  await journal.append([order(2)]);
  assert.equal(journal.durable, true);
  await journal.close();
  assert.deepEqual((await loaded(path)).ids, [1, 2]);
});

test('the file does not grow with orders that are forgotten', async (t) => {
  const path = await folder(t);
  const journal = new PurgeJournal(path);
  const many = Array.from({ length: 3000 }, (_, index) => order(index + 1));
  await journal.append(many);
  await journal.retire(many.slice(1).map(({ id }) => id));
  await journal.append([order(5000)]);
  await journal.append([order(5001)]);
  await journal.close();
  const text = await readFile(join(path, 'purge-orders.jsonl'), 'utf8');
  assert.ok(text.length < 1000, `${text.length} bytes`);
  assert.deepEqual((await loaded(path)).ids, [1, 5000, 5001]);
});
