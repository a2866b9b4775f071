import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ToWorker } from '../../../src/ipc/message.ts';
import { HoldDesk } from '../../../src/primary/hold-desk.ts';
import { waitFor } from '../../support/wait-for.ts';

class Client {
  readonly heard = new Map<number, number>();

  send(message: ToWorker): boolean {
    if (message.type !== 'holds') return true;
    for (const { holds } of message.zones) {
      for (let at = 0; at < holds.length; at += 2) this.heard.set(holds[at] as number, holds[at + 1] as number);
    }
    return true;
  }
}

const holds = (...entries: number[]) => [{ zone: 'connections', holds: Float64Array.from(entries) }];

describe('the desk of what is held', () => {
  test('tells each worker what the others hold', async () => {
    const desk = new HoldDesk();
    const clients = [new Client(), new Client(), new Client()];
    clients.forEach((client, worker) => desk.said(client, worker));
    desk.told(holds(7, 3), 0);
    desk.told(holds(7, 4, 8, 1), 1);
    await waitFor(() => clients[2]?.heard.get(7) === 7, 'the announcement');
    assert.deepEqual(
      clients.map(({ heard }) => heard.get(7)),
      [4, 3, 7],
    );
    assert.deepEqual(
      clients.map(({ heard }) => heard.get(8)),
      [1, 0, 1],
    );
  });

  test('frees what a dead worker held, and tells its successor what there is', async () => {
    const desk = new HoldDesk();
    const [one, successor] = [new Client(), new Client()];
    desk.said(one, 0);
    desk.said(new Client(), 1);
    desk.told(holds(7, 2), 0);
    desk.told(holds(7, 5), 1);
    await waitFor(() => one.heard.get(7) === 5, 'the announcement');
    desk.died(1);
    desk.said(successor, 2);
    assert.equal(successor.heard.get(7), 2);
    await waitFor(() => one.heard.get(7) === 0, 'the death to be told');
  });
});
