import assert from 'node:assert/strict';
import {
  plainRules,
  type ReuseOptions,
  reuseAfter,
  storage,
  storedLines,
  storedResponse,
} from '../../support/cache-exchange.ts';
import type { Statement } from './statement.ts';

const fresh = ['Cache-Control: max-age=60', 'ETag: "a"'];

function verdict(seconds: number, cacheControl: string, options: ReuseOptions = {}): string {
  return reuseAfter(seconds, [`Cache-Control: ${cacheControl}`, 'ETag: "a"'], options).verdict;
}

/** RFC 9111 sections 5.2.2 and 5.2.3: what responses say in Cache-Control. */
export const section5Responses: readonly Statement[] = [
  {
    section: '5.2.2',
    level: 'MUST',
    says: 'obey the directives of responses',
    cases: { 'see those that follow': () => assert.equal(storage(['Cache-Control: no-store']), 'no-store') },
  },
  {
    section: '5.2.2.1',
    level: 'ought',
    says: 'consider a response stale once its age exceeds max-age',
    cases: {
      'age counts from the origin': () => {
        assert.equal(reuseAfter(49, [...fresh, 'Age: 10']).verdict, 'fresh');
        assert.equal(reuseAfter(50, [...fresh, 'Age: 10']).verdict, 'revalidate');
      },
    },
  },
  {
    section: '5.2.2.2',
    level: 'MUST NOT',
    says: 'reuse a stale response with must-revalidate before it is validated; fresh, it is used',
    cases: {
      'fresh and stale': () => {
        assert.equal(verdict(59, 'max-age=60, must-revalidate'), 'fresh');
        assert.equal(verdict(61, 'max-age=60, must-revalidate, stale-while-revalidate=60'), 'revalidate');
      },
    },
  },
  {
    section: '5.2.2.2',
    level: 'MUST',
    says: 'answer an error, 504 as a rule, when it cannot be validated',
    shownBy: ['answers 504 rather than with a stale response that must be revalidated'],
  },
  {
    section: '5.2.2.3',
    level: 'MUST NOT',
    says: 'store a response with must-understand whose status is not understood',
    cases: {
      'the unknown': () =>
        assert.equal(storage(['Cache-Control: must-understand, max-age=9'], { status: 299 }), 'not-understood'),
    },
  },
  {
    section: '5.2.2.3',
    level: 'SHOULD',
    says: 'ignore no-store beside must-understand where the status is understood',
    cases: {
      'it is there for caches that do not know must-understand': () => {
        assert.equal(storage(['Cache-Control: must-understand, no-store, max-age=9']), 'stored');
        assert.equal(storage(['Cache-Control: must-understand, no-store, max-age=9'], { status: 404 }), 'stored');
      },
    },
  },
  {
    section: '5.2.2.4',
    level: 'MUST NOT',
    says: 'use a response with no-cache for another request without validation, not even when the upstream fails',
    cases: {
      'whatever allows stale ones': () => {
        const rules = { ...plainRules, staleIfError: 1e9, staleWhileRevalidate: 1e9 };
        const reuse = reuseAfter(1, ['Cache-Control: no-cache, max-age=60', 'ETag: "a"'], { rules });
        assert.deepEqual([reuse.verdict, reuse.onErrorUntil], ['revalidate', 0]);
      },
      'nor is it of use without a validator': () =>
        assert.equal(storage(['Cache-Control: no-cache, max-age=9']), 'stale'),
    },
  },
  {
    section: '5.2.2.4',
    level: 'MUST NOT',
    says: 'send the fields that a qualified no-cache names without validation; the rest may be used',
    cases: {
      'they are not kept': () => {
        const lines = ['Cache-Control: max-age=60, no-cache="X-A, x-b"', 'x-a: 1', 'X-B: 2', 'X-C: 3'];
        const stored = storedResponse(lines);
        assert.deepEqual(storedLines(stored).slice(1), [lines[0], 'X-C: 3']);
        assert.equal(reuseAfter(1, lines).verdict, 'fresh');
      },
      'a list that is empty or cannot be read is all of it': () => {
        for (const argument of ['=""', '=', '="a b"', '="\u00e4"', '="x']) {
          assert.equal(verdict(1, `max-age=60, no-cache${argument}`), 'revalidate', argument);
        }
      },
    },
  },
  {
    section: '5.2.2.5',
    level: 'MUST NOT',
    says: 'store anything of a response with no-store, or use it for another request',
    cases: { 'nothing of it': () => assert.equal(storage([...fresh, 'Cache-Control: no-store']), 'no-store') },
    shownBy: ['leaves nothing of a response with no-store behind'],
  },
  {
    section: '5.2.2.6',
    level: 'MUST NOT',
    says: 'transform a response with no-transform',
    shownBy: ['does not compress a response with no-transform, fresh from upstream or stored'],
  },
  {
    section: '5.2.2.7',
    level: 'MUST NOT',
    says: 'store a response with private in a shared cache',
    cases: {
      'a list that is empty or cannot be read is all of it': () => {
        for (const argument of ['', '=""', '=', '="a b"', '="x']) {
          assert.equal(storage([`Cache-Control: max-age=60, private${argument}`]), 'private', argument);
        }
      },
    },
  },
  {
    section: '5.2.2.7',
    level: 'MUST NOT',
    says: 'store the fields that a qualified private names',
    cases: {
      'not even as validators': () => {
        const stored = storedResponse(['Cache-Control: max-age=60, private="ETag"', 'ETag: "a"', 'X: y']);
        assert.equal(stored.etag, undefined);
        assert.deepEqual(storedLines(stored).slice(2), ['X: y']);
      },
    },
  },
  {
    section: '5.2.2.8',
    level: 'MUST NOT',
    says: 'reuse a stale response with proxy-revalidate in a shared cache; fresh, it is used',
    cases: {
      'fresh and stale': () => {
        assert.equal(verdict(59, 'max-age=60, proxy-revalidate'), 'fresh');
        assert.equal(verdict(61, 'max-age=60, proxy-revalidate, stale-while-revalidate=60'), 'revalidate');
      },
    },
  },
  {
    section: '5.2.2.9',
    level: 'MAY',
    says: 'store a response with public although nothing else allows it',
    cases: {
      'of any status, to be validated or with a lifetime that is guessed': () => {
        assert.equal(storage(['Cache-Control: public', 'ETag: "a"'], { status: 302 }), 'stored');
        assert.equal(storage(['Cache-Control: public'], { status: 302, rules: { ...plainRules, ttl: 9 } }), 'stored');
        assert.equal(storage(['Cache-Control: public'], { status: 302 }), 'stale');
      },
    },
  },
  {
    section: '5.2.2.10',
    level: 'MUST NOT',
    says: 'reuse a stale response with s-maxage in a shared cache before it is validated',
    cases: {
      's-maxage before max-age and Expires': () => {
        assert.equal(verdict(11, 's-maxage=10, max-age=60'), 'revalidate');
        assert.equal(verdict(59, 's-maxage=60, max-age=10'), 'fresh');
        assert.equal(verdict(11, 's-maxage=10, stale-while-revalidate=60'), 'revalidate');
      },
    },
  },
  {
    section: '5.2.3',
    level: 'MUST',
    says: 'ignore directives that it does not know',
    cases: {
      'with and without arguments': () => {
        assert.equal(storedResponse(['Cache-Control: foo, bar="a, no-store", max-age=60, x=y']).lifetime, 60_000);
        assert.equal(storage(['Cache-Control: private, community="UCI", max-age=9']), 'private');
      },
    },
  },
];
