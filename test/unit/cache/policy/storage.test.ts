import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { judgeStorage } from '../../../../src/cache/policy/storage.ts';
import {
  dateAfter,
  judge,
  noon,
  obeyingRules,
  plainRules,
  policyRequest,
  receivedResponse,
  storedResponse,
} from '../../../support/cache-exchange.ts';

describe('judgeStorage', () => {
  it('describes all that is decided about a response', () => {
    const lines = [
      'Cache-Control: max-age=60, stale-while-revalidate=5, stale-if-error=7, must-revalidate',
      'ETag: W/"x"',
      `Last-Modified: ${dateAfter(-50)}`,
      `Date: ${dateAfter(-2)}`,
      'Cache-Tag: a, b',
      'Surrogate-Key: b c',
    ];
    const { block, ...rest } = storedResponse(lines, { status: 404, delayMs: 100 });
    assert.equal(block.toString(), ['404 Some reason', ...lines.slice(0, 3)].join('\r\n'));
    assert.deepEqual(rest, {
      key: 'k',
      variant: '',
      bodyLength: 5,
      status: 404,
      requestTime: noon - 100,
      responseTime: noon,
      date: noon - 2000,
      initialAge: 2000,
      lifetime: 60_000,
      staleWhileRevalidate: 5000,
      staleIfError: 7000,
      mustRevalidate: true,
      alwaysRevalidate: false,
      etag: 'W/"x"',
      lastModified: noon - 50_000,
      tags: ['a', 'b', 'c'],
      decidedBy: 'Cache-Control: max-age',
    });
  });

  it('keeps a block of its own', () => {
    const received = receivedResponse(['Cache-Control: max-age=9']);
    const times = { requestTime: noon, responseTime: noon };
    const decision = judgeStorage(policyRequest(), received, plainRules, times);
    assert.ok(decision.store);
    received.block.fill(0);
    assert.match(decision.response.block.toString(), /^200 Some reason\r\nCache-Control/);
  });

  it('says what decided', () => {
    const rules = { ...plainRules, heuristic: { share: 0.1, max: 1e9 }, ttlByStatus: { '404': 5 } };
    const decided = (lines: string[], status = 200) => storedResponse(lines, { rules, status }).decidedBy;
    assert.equal(decided(['Cache-Control: s-maxage=9']), 'Cache-Control: s-maxage');
    assert.equal(decided([`Expires: ${dateAfter(9)}`]), 'Expires');
    assert.equal(decided([`Last-Modified: ${dateAfter(-99)}`]), 'heuristic');
    assert.equal(decided([`Last-Modified: ${dateAfter(-99)}`], 404), 'ttl');
    assert.equal(decided(['CDN-Cache-Control: max-age=9']), 'CDN-Cache-Control: max-age');
    assert.equal(decided(['Surrogate-Control: max-age=9']), 'Surrogate-Control: max-age');
    assert.equal(decided(['Cache-Control: no-cache', 'ETag: "a"']), 'Cache-Control: no-cache');
    assert.equal(decided(['Cache-Control: public', 'ETag: "a"']), 'Cache-Control: public');
  });

  it('remembers that nothing is stored where the response says so, not where the request does', () => {
    const remembered = (lines: string[], options: Parameters<typeof judge>[1] = {}) => {
      const decision = judge(lines, options);
      return decision.store ? undefined : decision.rememberMs;
    };
    assert.equal(remembered(['Cache-Control: no-store']), 10_000);
    assert.equal(remembered(['Set-Cookie: a=b', 'Cache-Control: max-age=9']), 10_000);
    assert.equal(remembered([], { status: 500 }), 1000);
    assert.equal(remembered(['Cache-Control: max-age=9'], { request: policyRequest(['Authorization: x']) }), 0);
    assert.equal(remembered([], { request: policyRequest(['Cache-Control: no-store']), rules: obeyingRules }), 0);
    assert.equal(remembered([], { request: policyRequest([], 'POST') }), 0);
  });

  it('never throws, and never stores what says no-store or private, whatever else is there', () => {
    const name = fc.constantFrom(
      'Cache-Control',
      'Expires',
      'Date',
      'Age',
      'Vary',
      'ETag',
      'Last-Modified',
      'Cache-Tag',
      'Pragma',
    );
    const value = fc.oneof(
      fc.constantFrom(
        'max-age=60',
        'public',
        's-maxage=9',
        'private="x"',
        'no-cache',
        '0',
        '-1',
        dateAfter(60),
        '*',
        '"a"',
      ),
      fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)), maxLength: 30 }),
    );
    const line = fc.tuple(name, value).map(([field, text]) => `${field}: ${text}`);
    const forbidding = fc.constantFrom('no-store', 'private', 'NO-STORE', 'max-age=9, private', 'private, max-age=9');
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), forbidding, fc.nat(8), (lines, directive, at) => {
        judge(lines);
        const forbidden = lines.toSpliced(at, 0, `Cache-Control: ${directive}`);
        // A quote that stands open may take the directive into its string, as the grammar has it.
        const quoted = lines.some((text) => text.includes('"'));
        const { store } = judge(forbidden, { rules: { ...plainRules, ttl: 1e6, targeted: false } });
        assert.ok(!store || quoted, forbidden.join('\n'));
      }),
      { numRuns: 2000 },
    );
  });
});
