import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SendPace } from '../../../src/listener/send-pace.ts';

const limit = { minSendRate: 100, minSendRateGraceMs: 10_000 };

describe('SendPace', () => {
  test('lets a client be slow within the grace, and not beyond it', () => {
    const pace = new SendPace();
    for (let now = 1000; now <= 11_000; now += 1000) assert.equal(pace.isTooSlow(now, 5000, limit), false, `${now}`);
    assert.equal(pace.isTooSlow(12_000, 5000, limit), true);
    assert.equal(pace.isTooSlow(12_000, 5101, limit), false);
  });

  test('does not count the time in which the client was not waited for', () => {
    const pace = new SendPace();
    pace.isTooSlow(1000, 0, limit);
    pace.isTooSlow(5000, 0, limit);
    pace.rest();
    assert.equal(pace.isTooSlow(500_000, 0, limit), false);
    assert.equal(pace.isTooSlow(506_000, 0, limit), false);
    assert.equal(pace.isTooSlow(507_000, 0, limit), true);
  });

  test('does not count what the client had before it was waited for', () => {
    const pace = new SendPace();
    assert.equal(pace.isTooSlow(1000, 1e9, limit), false);
    assert.equal(pace.isTooSlow(20_000, 1e9 + 10, limit), true);
  });

  test('lets everybody be slow without a rate', () => {
    const pace = new SendPace();
    assert.equal(pace.isTooSlow(1000, 0, { minSendRate: 0, minSendRateGraceMs: 0 }), false);
    assert.equal(pace.isTooSlow(1e9, 0, {}), false);
  });
});
