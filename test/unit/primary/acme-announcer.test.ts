import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AcmeAnnouncer } from '../../../src/primary/acme-announcer.ts';

const challenge = { type: 'http-01', token: 'token', keyAuthorization: 'token.print' } as const;

function announcerTo(...workers: number[]): { announcer: AcmeAnnouncer; sent: number[] } {
  const sent: number[] = [];
  const announcer = new AcmeAnnouncer(({ id }) => {
    sent.push(id);
    return workers;
  });
  return { announcer, sent };
}

/** Whether it is settled by now. */
async function isSettled(promise: Promise<void>): Promise<boolean> {
  return Promise.race([
    promise.then(() => true),
    new Promise<boolean>((resolve) => setImmediate(() => resolve(false))),
  ]);
}

describe('an announcement of challenges', () => {
  test('is made when every worker has said so', async (t) => {
    const { announcer } = announcerTo(1, 2);
    t.after(() => announcer.close());
    const presented = announcer.present([challenge]);
    announcer.confirmed(1, 1);
    assert.equal(await isSettled(presented), false);
    announcer.confirmed(2, 1);
    assert.equal(await isSettled(presented), true);
    assert.deepEqual(announcer.current, { type: 'acme-challenges', id: 1, responses: [challenge] });
  });

  test('does not wait for a worker that has died, nor take the answer to a former one', async (t) => {
    const { announcer } = announcerTo(1, 2);
    t.after(() => announcer.close());
    const former = announcer.present([challenge]);
    const presented = announcer.present([]);
    assert.equal(await isSettled(former), true);
    announcer.confirmed(1, 1);
    announcer.died(2);
    assert.equal(await isSettled(presented), false);
    announcer.confirmed(1, 2);
    assert.equal(await isSettled(presented), true);
  });

  test('does not wait where there is no worker, and for a stuck one five seconds', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    assert.equal(await isSettled(announcerTo().announcer.present([challenge])), true);
    const presented = announcerTo(1).announcer.present([challenge]);
    t.mock.timers.tick(4999);
    assert.equal(await isSettled(presented), false);
    t.mock.timers.tick(1);
    assert.equal(await isSettled(presented), true);
  });
});
