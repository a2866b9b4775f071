import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TicketKeys } from '../../../src/primary/ticket-keys.ts';

test('the key for session tickets is replaced from time to time', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const told: Buffer[] = [];
  const keys = new TicketKeys((key) => void told.push(key));
  const first = keys.key;
  assert.equal(first.length, 48);
  t.mock.timers.tick(11 * 3_600_000);
  assert.equal(keys.key, first);
  t.mock.timers.tick(3_600_000);
  assert.deepEqual(told, [keys.key]);
  assert.notDeepEqual(keys.key, first);
  keys.close();
  t.mock.timers.tick(24 * 3_600_000);
  assert.equal(told.length, 1);
});
