import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CapacityDemand } from '../../../src/ipc/message.ts';
import { CapacityLeases } from '../../../src/worker/capacity-leases.ts';
import { waitFor } from '../../support/wait-for.ts';

const key = 'app 127.0.0.1:8000';

function makeLeases() {
  const sent: CapacityDemand[] = [];
  const leases = new CapacityLeases((demands) => sent.push(...demands));
  const capacity = leases.of('app', '127.0.0.1:8000');
  capacity.configure(4);
  const order = (granted: number, recalled = 0): void => leases.receive([{ key, granted, recalled }]);
  return { leases, capacity, sent, order };
}

describe('the leases of a worker', () => {
  test('are asked for when requests wait, in one message', async () => {
    const { capacity, sent } = makeLeases();
    assert.equal(capacity.isFree, false);
    for (const waiting of [1, 2, 3]) capacity.want(waiting);
    await waitFor(() => sent.length > 0, 'the demand');
    assert.deepEqual(sent, [{ key, limit: 4, wanted: 3, returned: 0 }]);
  });

  test('are used again and again without a message', async () => {
    const { capacity, sent, order } = makeLeases();
    capacity.want(1);
    await waitFor(() => sent.length === 1, 'the demand');
    order(1);
    capacity.want(0);
    for (let request = 0; request < 1000; request++) {
      assert.equal(capacity.isFree, true);
      capacity.take();
      assert.equal(capacity.isFree, false);
      capacity.giveBack();
    }
    assert.equal(sent.length, 1);
  });

  test('are told of when more are there', () => {
    const { capacity, order } = makeLeases();
    let told = 0;
    capacity.onChange = () => told++;
    order(2);
    assert.deepEqual([told, capacity.held], [1, 2]);
  });

  test('go back at once when they are recalled and free, the others as they come free', async () => {
    const { capacity, sent, order } = makeLeases();
    order(3);
    capacity.take();
    order(0, 3);
    assert.equal(capacity.held, 1);
    capacity.giveBack();
    assert.equal(capacity.held, 0);
    await waitFor(() => sent.reduce((sum, { returned }) => sum + returned, 0) === 3, 'all three to be given back');
  });

  test('go back when a turn is over although requests wait, and what waits is still wanted', async () => {
    const { capacity, sent, order } = makeLeases();
    capacity.want(5);
    order(1);
    order(0, 1);
    assert.equal(capacity.held, 1, 'its turn has just begun');
    await waitFor(() => capacity.held === 0, 'the turn to end');
    await waitFor(() => sent.some(({ returned }) => returned === 1), 'the lease to be given back');
    assert.equal(sent.at(-1)?.wanted, 5);
  });

  test('go back when nobody uses them for a while', async () => {
    const { capacity, sent, order } = makeLeases();
    capacity.want(1);
    order(4);
    capacity.want(0);
    await waitFor(() => capacity.held === 0, 'the leases to go back');
    await waitFor(() => sent.some(({ returned }) => returned === 4), 'the message');
    assert.equal(sent.at(-1)?.wanted, 0);
  });
});
