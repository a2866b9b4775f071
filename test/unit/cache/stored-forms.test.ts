import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ZoneStore } from '../../../src/cache/store/zone-store.ts';
import { StoredForms } from '../../../src/cache/stored-forms.ts';
import { CacheStores, findEntry, put } from '../../support/cache-stores.ts';
import { waitFor } from '../../support/wait-for.ts';

const body = Buffer.from('the body as it is');
const coded = Buffer.from('the body in another form');

async function formsIn(store: ZoneStore, of = body): Promise<StoredForms> {
  const entry = await findEntry(store, 'a.test/x');
  assert.ok(entry);
  return new StoredForms(store, entry, of);
}

function formOf(forms: StoredForms): Promise<Buffer | undefined> {
  return new Promise((resolve) => forms.find('gzip', resolve));
}

async function storeBoth(stores: CacheStores): Promise<ZoneStore> {
  const store = stores.store();
  await put(store, 'a.test/x', body, { key: 'a.test/x', tags: ['news'] });
  (await formsIn(store)).keep('gzip', coded);
  await waitFor(() => stores.files().length === 2, 'both to be on disk');
  return store;
}

test('a form is found beside its response by another worker, in its coding and for its very bytes', async (t) => {
  const stores = new CacheStores(t);
  await storeBoth(stores);
  const other = stores.store();
  assert.deepEqual(await formOf(await formsIn(other)), coded);
  assert.equal(await formOf(await formsIn(other, Buffer.from('another body'))), undefined);
  const forms = await formsIn(other);
  assert.equal(await new Promise((resolve) => forms.find('br', resolve)), undefined);
});

for (const what of [
  { kind: 'url', host: 'a.test', path: '/x', query: undefined },
  { kind: 'tag', tag: 'news' },
] as const) {
  test(`a form is purged with its response by ${what.kind}`, async (t) => {
    const stores = new CacheStores(t);
    const store = await storeBoth(stores);
    const forms = await formsIn(store);
    stores.purges.add([{ id: 1, zone: 'pages', soft: false, time: Date.now(), what }]);
    assert.equal(await formOf(forms), undefined);
    assert.equal(await findEntry(store, 'a.test/x'), undefined);
  });
}
