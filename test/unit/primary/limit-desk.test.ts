import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ZoneDebts } from '../../../src/ipc/message.ts';
import { LimitDesk } from '../../../src/primary/limit-desk.ts';
import { usualRate } from '../../support/limit-zone.ts';
import { waitFor } from '../../support/wait-for.ts';

function startDesk() {
  const heard: ZoneDebts[] = [];
  const clock = { now: 1000 };
  const desk = new LimitDesk(
    ({ zones }) => heard.push(...zones),
    () => clock.now,
  );
  desk.configure({ api: usualRate });
  const tell = (zone: string, ...counts: number[]): void => desk.told([{ zone, counts: Float64Array.from(counts) }]);
  return { desk, heard, clock, tell };
}

describe('the desk of limits', () => {
  test('adds up what workers tell and tells all of them', async () => {
    const { heard, tell } = startDesk();
    tell('api', 1, 2, 3);
    tell('api', 1, 2, 2);
    await waitFor(() => heard.length > 0, 'the announcement');
    assert.deepEqual(
      heard.map(({ zone, debts }) => [zone, ...debts]),
      [['api', 1, 2, 5]],
    );
  });

  test('keeps quiet about keys that are far from their limit', async () => {
    const { desk, heard, tell } = startDesk();
    desk.configure({ api: { ...usualRate, burst: 100 } });
    tell('api', 5, 5, 1);
    tell('api', 6, 6, 50);
    await waitFor(() => heard.length > 0, 'the announcement');
    assert.deepEqual([...(heard[0]?.debts ?? [])], [6, 6, 50]);
  });

  test('tells a new worker what a dead one had counted', () => {
    const { desk, tell, clock } = startDesk();
    tell('api', 1, 2, 4);
    clock.now += 100;
    assert.deepEqual(
      desk.handOver()?.zones.map(({ debts }) => [...debts]),
      [[1, 2, 3]],
    );
    clock.now += 300;
    assert.equal(desk.handOver(), undefined);
    desk.close();
  });

  test('keeps debts over a reload, as requests, and drops them where the key means something else', () => {
    const { desk, tell } = startDesk();
    tell('api', 1, 2, 4);
    desk.configure({ api: { ...usualRate, interval: 10 } });
    assert.deepEqual(
      desk.handOver()?.zones.map(({ debts }) => [...debts]),
      [[1, 2, 4]],
    );
    desk.configure({ api: { ...usualRate, key: ['host'] } });
    assert.equal(desk.handOver(), undefined);
    desk.close();
  });

  test('passes over zones that it does not know and messages that are cut', () => {
    const { desk, tell } = startDesk();
    tell('gone', 1, 2, 3);
    tell('api', 1, 2);
    assert.equal(desk.handOver(), undefined);
    desk.close();
  });
});
