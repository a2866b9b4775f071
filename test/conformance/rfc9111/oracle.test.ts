import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import CachePolicy from 'http-cache-semantics';
import { judgeReuse } from '../../../src/cache/policy/reuse.ts';
import { conditionalFields } from '../../../src/cache/policy/validation.ts';
import {
  dateAfter,
  fieldsFrom,
  judge,
  noon,
  obeyingRules,
  plainRules,
  policyRequest,
} from '../../support/cache-exchange.ts';

/**
 * http-cache-semantics with the clock in our hands. It is asked only where it is right: it never uses fresh responses with
 * `must-revalidate`, takes `proxy-revalidate` for no lifetime, uses stale ones with `s-maxage`, knows no qualified directives,
 * and counts no age by Date.
 */
class Oracle extends CachePolicy {
  static clock = noon;

  now(): number {
    return Oracle.clock;
  }
}

/** Repeated fields do not occur: the oracle takes one value a name. */
function headersOf(lines: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  const { entries } = fieldsFrom(lines);
  for (let index = 0; index < entries.length; index += 2)
    headers[entries[index] as string] = entries[index + 1] as string;
  return headers;
}

function oracle(lines: readonly string[], status: number, requestLines: readonly string[] = []): Oracle {
  Oracle.clock = noon;
  const request = { method: 'GET', url: '/', headers: { host: 'h', ...headersOf(requestLines) } };
  return new Oracle(request, { status, headers: headersOf(lines) }, { immutableMinTimeToLive: 0 });
}

const seconds = fc.integer({ min: 0, max: 300 });
const delta = (name: string) => seconds.map((value) => `${name}=${value}`);
const flags = ['public', 'no-store', 'private', 'immutable', 'no-transform', 'foo', 'foo=bar'].map((flag) =>
  fc.constant(flag),
);
const cacheControl = fc
  .uniqueArray(fc.oneof(delta('max-age'), delta('s-maxage'), ...flags), {
    selector: (text) => text.split('=')[0],
    maxLength: 4,
  })
  .map((directives) => (directives.length === 0 ? [] : [`Cache-Control: ${directives.join(', ')}`]));
const optional = (line: fc.Arbitrary<string>) => fc.option(line, { nil: undefined });
const responseLines = fc
  .tuple(
    cacheControl,
    optional(fc.integer({ min: -100, max: 300 }).map((offset) => `Expires: ${dateAfter(offset)}`)),
    optional(seconds.map((age) => `Age: ${age}`)),
    optional(fc.constantFrom('ETag: "a"', 'ETag: W/"b"')),
    optional(fc.integer({ min: -5000, max: -1 }).map((offset) => `Last-Modified: ${dateAfter(offset)}`)),
  )
  .map(([control, ...others]) => [`Date: ${dateAfter(0)}`, ...control, ...others.filter((line) => line !== undefined)]);
const status = fc.constantFrom(200, 203, 204, 300, 301, 302, 303, 307, 308, 404, 405, 410, 414, 501);
const authorization = fc.constantFrom([], ['Authorization: Basic dTpw']);

describe('the policy against http-cache-semantics', () => {
  it('stores nothing that must not be stored, and whatever may be and is of use', () => {
    fc.assert(
      fc.property(responseLines, status, authorization, (lines, code, requestLines) => {
        const decision = judge(lines, { status: code, request: policyRequest(requestLines) });
        const expected = oracle(lines, code, requestLines).storable();
        if (decision.store) assert.ok(expected);
        else if (expected) assert.ok(['nothing-said', 'stale'].includes(decision.reason), decision.reason);
      }),
      { numRuns: 2000 },
    );
  });

  it('gives what is stored the same lifetime', () => {
    const rules = { ...plainRules, heuristic: { share: 0.1, max: Number.MAX_SAFE_INTEGER } };
    fc.assert(
      fc.property(responseLines, status, (lines, code) => {
        const decision = judge(lines, { status: code, rules });
        if (decision.store)
          assert.equal(Math.round(decision.response.lifetime / 10), Math.round(oracle(lines, code).maxAge() * 100));
      }),
      { numRuns: 2000 },
    );
  });

  const wishes = fc.uniqueArray(
    fc.oneof(delta('max-age'), delta('min-fresh'), delta('max-stale'), fc.constantFrom('max-stale', 'no-cache')),
    { selector: (text) => text.split('=')[0], maxLength: 3 },
  );

  it('uses what is stored for the same requests at the same time', () => {
    const base = fc.tuple(seconds, fc.option(seconds), fc.option(seconds));
    fc.assert(
      fc.property(base, wishes, fc.integer({ min: 0, max: 900_000 }), ([maxAge, grace, age], wished, later) => {
        const lines = [`Cache-Control: max-age=${maxAge}${grace === null ? '' : `, stale-while-revalidate=${grace}`}`];
        // The oracle has only the age that the response says, so that the delay is none, and Date that of noon.
        lines.push('ETag: "a"', `Date: ${dateAfter(0)}`, ...(age === null ? [] : [`Age: ${age}`]));
        const decision = judge(lines);
        assert.ok(decision.store);
        const stored = { ...decision.response, key: '', variant: '', bodyLength: 0 };
        const requestLines = wished.length === 0 ? [] : [`Cache-Control: ${wished.join(', ')}`];
        // At the very moment of `max-stale` the oracle is one off: "no more than" it includes that moment.
        const now = noon + later + (later % 1000 === 0 ? 1 : 0);
        const policy = oracle(lines, 200);
        Oracle.clock = now;
        const expected = policy.evaluateRequest({
          method: 'GET',
          url: '/',
          headers: { host: 'h', ...headersOf(requestLines) },
        });
        const { verdict } = judgeReuse(stored, policyRequest(requestLines), obeyingRules, now);
        const actual = verdict === 'revalidate' ? 'miss' : verdict === 'stale-while-revalidate' ? 'background' : 'hit';
        const revalidation = expected.revalidation;
        const wanted = revalidation === undefined ? 'hit' : revalidation.synchronous ? 'miss' : 'background';
        assert.equal(actual, wanted, `${lines.join('; ')} | ${requestLines.join()} | ${later}`);
      }),
      { numRuns: 3000 },
    );
  });

  it('asks the upstream by the same conditions', () => {
    fc.assert(
      fc.property(responseLines, (lines) => {
        const decision = judge(lines);
        if (!decision.store) return;
        const expected = oracle(lines, 200).revalidationHeaders({ method: 'GET', url: '/', headers: { host: 'h' } });
        const actual = conditionalFields(decision.response);
        const value = (name: string) => (actual.includes(name) ? actual[actual.indexOf(name) + 1] : undefined);
        for (const name of ['if-none-match', 'if-modified-since']) assert.equal(value(name), expected[name]);
      }),
      { numRuns: 1000 },
    );
  });
});
