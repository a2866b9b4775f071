import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CacheFaults } from '../support/cache-faults.ts';
import { CacheStores } from '../support/cache-stores.ts';
import { waitFor } from '../support/wait-for.ts';

for (const [what, kills] of [
  ['worker', 10],
  ['tree', 5],
] as const) {
  test(`has nothing torn or mixed up on disk after ${kills} times kill -9 of a ${what} that stores, renews and evicts`, async (t) => {
    const faults = new CacheFaults();
    t.after(() => faults.dispose());
    t.after(() => faults.stop());
    await faults.start();
    for (let round = 0; round < kills; round++) await faults.kill(what, 20 + Math.random() * 150);
    await faults.stop();
    assert.equal(faults.faults, '');
    const stores = new CacheStores(t, faults.config);
    const { right, wrong } = await faults.inspect(stores);
    assert.deepEqual(wrong, []);
    assert.ok(right > 20, `${right} entries`);
    assert.ok(faults.largestShare <= 1.02, `${faults.largestShare} of the bound`);
    await waitFor(() => stores.temporaryFiles() === 0, 'what was being written to be gone');
  });
}
