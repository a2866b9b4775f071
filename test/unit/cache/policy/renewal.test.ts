import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { markedStale, renewStored } from '../../../../src/cache/policy/renewal.ts';
import { judgeReuse } from '../../../../src/cache/policy/reuse.ts';
import type { StoredResponse } from '../../../../src/cache/stored-response.ts';
import {
  noon,
  plainRules,
  policyRequest,
  receivedResponse,
  storedLines,
  storedResponse,
} from '../../../support/cache-exchange.ts';

const later = { requestTime: noon + 9000, responseTime: noon + 10_000 };

function renewed(stored: StoredResponse, lines: string[], rules = plainRules): StoredResponse {
  const renewal = renewStored(stored, receivedResponse(lines, 304), rules, later);
  if (renewal.kind !== 'renewed') assert.fail(renewal.kind);
  return renewal.response;
}

describe('renewStored', () => {
  it('keeps key, variant, status, length and what the 304 leaves alone', () => {
    const stored = {
      ...storedResponse(['Cache-Control: max-age=60', 'ETag: "a"', 'Cache-Tag: t', 'Vary: Cookie'], { status: 404 }),
      variant: 'cookie:x\n',
    };
    const { key, variant, bodyLength, status, tags, lifetime, initialAge, requestTime } = renewed(stored, [
      'ETag: "a"',
    ]);
    assert.deepEqual([key, variant, bodyLength, status, tags], ['k', 'cookie:x\n', 5, 404, ['t']]);
    assert.deepEqual([lifetime, initialAge, requestTime], [60_000, 1000, noon + 9000]);
  });

  it('takes new tags in the place of the old ones', () => {
    const stored = storedResponse(['Cache-Control: max-age=60', 'ETag: "a"', 'Cache-Tag: t, u']);
    assert.deepEqual(renewed(stored, ['Cache-Tag: v']).tags, ['v']);
  });

  it('begins the lifetime of a route anew', () => {
    const rules = { ...plainRules, ttl: 5000 };
    const stored = storedResponse(['ETag: "a"'], { rules });
    const { lifetime, responseTime, decidedBy } = renewed(stored, [], rules);
    assert.deepEqual([lifetime, responseTime, decidedBy], [5000, noon + 10_000, 'ttl']);
  });

  it('lets the route forget what it would not store any more, once it has answered', () => {
    const stored = storedResponse(['ETag: "a"'], { rules: { ...plainRules, ttl: 5000 } });
    const renewal = renewStored(stored, receivedResponse(['X: y'], 304), plainRules, later);
    assert.equal(renewal.kind, 'forbidden');
    assert.ok(renewal.kind === 'forbidden' && storedLines(renewal.response).includes('X: y'));
  });

  it('keeps a line for every field through many renewals', () => {
    let stored = storedResponse(['Cache-Control: max-age=60', 'ETag: "a"']);
    for (let round = 0; round < 50; round++) stored = renewed(stored, ['ETag: "a"', 'X-A: 1', 'x-a: 2']);
    assert.equal(storedLines(stored).length, 5);
  });
});

describe('markedStale', () => {
  it('makes a response stale at once, to be used only when the upstream fails', () => {
    const lines = ['Cache-Control: max-age=60, stale-while-revalidate=60, stale-if-error=20', 'Age: 5'];
    const marked = markedStale(storedResponse(lines), noon + 10_000);
    const { verdict, onErrorUntil } = judgeReuse(marked, policyRequest(), plainRules, noon + 10_000);
    assert.deepEqual([verdict, onErrorUntil], ['revalidate', noon + 30_000]);
  });

  it('leaves one that was stale before as stale as it was', () => {
    const stored = storedResponse(['Cache-Control: max-age=5, stale-if-error=20']);
    assert.equal(markedStale(stored, noon + 10_000).lifetime, 5000);
  });
});
