import assert from 'node:assert/strict';
import { ageOf } from '../../../src/cache/policy/age.ts';
import { variantOf } from '../../../src/cache/policy/variant.ts';
import {
  dateAfter,
  fieldsFrom,
  judge,
  noon,
  plainRules,
  policyRequest,
  reuseAfter,
  storage,
  storedResponse,
} from '../../support/cache-exchange.ts';
import type { Statement } from './statement.ts';

const fresh = ['Cache-Control: max-age=60'];

function variant(names: string[], lines: readonly string[], normalization = plainRules.normalizeVary): string {
  return variantOf(names, fieldsFrom(lines), normalization);
}

function assertMatch(names: string[], one: readonly string[], other: readonly string[], expected = true): void {
  const equal = variant(names, one) === variant(names, other);
  assert.equal(equal, expected, `${one.join()} and ${other.join()}`);
}

/** RFC 9111 sections 4 and 4.1: constructing responses from caches, keys and Vary. */
export const section4Reuse: readonly Statement[] = [
  {
    section: '4',
    level: 'MUST NOT',
    says: 'reuse a response for another target URI',
    shownBy: ['answers no other path, query or host with a stored response'],
  },
  {
    section: '4',
    level: 'MUST NOT',
    says: 'reuse a response for a method that it does not allow',
    cases: {
      'GET answers GET and HEAD': () => {
        assert.equal(reuseAfter(1, fresh).verdict, 'fresh');
        assert.equal(reuseAfter(1, fresh, { by: policyRequest([], 'HEAD') }).verdict, 'fresh');
      },
      'and nothing else': () => {
        for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'get', 'X']) {
          const { verdict, reason } = reuseAfter(1, fresh, { by: policyRequest([], method) });
          assert.deepEqual([verdict, reason], ['fetch', 'request-method']);
        }
      },
    },
    shownBy: ['answers HEAD from a stored GET without a body'],
  },
  {
    section: '4',
    level: 'MUST NOT',
    says: 'reuse a response unless the fields that Vary names match',
    cases: { 'see section 4.1': () => assertMatch(['cookie'], ['Cookie: a=1'], ['Cookie: a=2'], false) },
    shownBy: ['keeps variants apart by what Vary names'],
  },
  {
    section: '4',
    level: 'MUST NOT',
    says: 'reuse a response that says no-cache without validating it',
    cases: {
      'although it is fresh': () => {
        const { verdict, reason, onErrorUntil } = reuseAfter(1, ['Cache-Control: no-cache, max-age=60', 'ETag: "a"']);
        assert.deepEqual([verdict, reason, onErrorUntil], ['revalidate', 'always-revalidate', 0]);
      },
    },
  },
  {
    section: '4',
    level: 'MUST NOT',
    says: 'reuse a response unless it is fresh, or may be served stale, or was validated',
    cases: {
      'at the very end of its lifetime it is stale': () => {
        assert.equal(reuseAfter(59.999, fresh).verdict, 'fresh');
        assert.equal(reuseAfter(60, fresh).verdict, 'revalidate');
      },
    },
  },
  {
    section: '4',
    level: 'MUST',
    says: 'generate Age from the current age, in the place of any in the response',
    cases: {
      'in whole seconds, that of the response counted in': () => {
        const stored = storedResponse([...fresh, 'Age: 10']);
        assert.equal(ageOf(stored, noon + 5999), 15);
        assert.equal(reuseAfter(5.999, [...fresh, 'Age: 10']).age, 15);
        assert.doesNotMatch(stored.block.toString(), /age: 10/i);
      },
    },
    shownBy: ['sends Age with every response from the cache'],
  },
  {
    section: '4',
    level: 'MUST',
    says: 'write requests with unsafe methods through to the origin before answering',
    shownBy: ['passes unsafe requests on and drops what is stored for their target'],
  },
  {
    section: '4',
    level: 'MUST',
    says: 'use the most recent of several suitable responses, by Date',
    shownBy: ['keeps one response for a key and variant, the last one'],
  },
  {
    section: '4',
    level: 'MUST NOT',
    says: 'use what is stored without validating it when there is no clock',
    cases: {
      'the clock is the wall clock; set back, it makes nothing younger than it came': () => {
        assert.equal(ageOf(storedResponse([...fresh, 'Age: 10']), noon - 3_600_000), 10);
      },
    },
  },
  {
    section: '4.1',
    level: 'MUST NOT',
    says: 'use a response unless all fields named by Vary match those of the request that it answered',
    cases: {
      'all of them': () => {
        const names = ['accept', 'cookie'];
        assertMatch(names, ['Accept: a', 'Cookie: b'], ['Cookie: b', 'Accept: a']);
        assertMatch(names, ['Accept: a', 'Cookie: b'], ['Accept: a', 'Cookie: c'], false);
      },
      'names from several fields, in any case': () => {
        const decision = judge([...fresh, 'Vary: Cookie,  accept-LANGUAGE', 'Vary: COOKIE, X-A']);
        assert.deepEqual(decision.store && decision.varyNames, ['accept-language', 'cookie', 'x-a']);
      },
      'no value passes for two': () => {
        assertMatch(['a', 'b'], ['A: x', 'B: y'], ['A: x\tb:y'], false);
        assertMatch(['a', 'b'], ['A: x'], ['B: x'], false);
      },
    },
  },
  {
    section: '4.1',
    level: 'MAY',
    says: 'match fields that differ in blanks, in being split, or in a form that means the same',
    cases: {
      'lines of one name are joined': () => assertMatch(['x-a'], ['X-A: 1', 'X-A: 2'], ['X-A: 1, 2']),
      'blanks in lists': () =>
        assertMatch(['accept-encoding'], ['Accept-Encoding: gzip,br'], ['Accept-Encoding: gzip , br']),
      'case where it does not count': () =>
        assertMatch(['accept-language'], ['Accept-Language: de-AT'], ['Accept-Language: de-at']),
      'case where it counts': () => assertMatch(['cookie'], ['Cookie: a=B'], ['Cookie: a=b'], false),
      'Accept-Encoding by the codings that it accepts': () => {
        const normalization = { acceptEncoding: true, acceptLanguage: undefined };
        const of = (value: string) => variant(['accept-encoding'], [`Accept-Encoding: ${value}`], normalization);
        assert.equal(of('gzip, deflate, br'), of('br;q=0.8, x-gzip, foo'));
        assert.notEqual(of('gzip'), of('gzip, br'));
        assert.notEqual(of('gzip;q=0'), of('gzip'));
        assert.equal(of('identity'), variant(['accept-encoding'], [], normalization));
        assert.notEqual(of('gzip, identity;q=0'), of('gzip'));
      },
      'Accept-Language by the language that is served': () => {
        const normalization = { acceptEncoding: false, acceptLanguage: ['en', 'de', 'pt-BR'] };
        const of = (value: string) => variant(['accept-language'], [`Accept-Language: ${value}`], normalization);
        assert.equal(of('de-AT, en;q=0.5'), of('fr, DE;q=0.8, en;q=0.7'));
        assert.equal(of('pt'), of('pt-br'));
        assert.notEqual(of('en'), of('de'));
      },
    },
  },
  {
    section: '4.1',
    level: 'MUST',
    says: 'match a field that is absent with its absence alone',
    cases: { 'not with an empty one': () => assertMatch(['x-a'], [], ['X-A:'], false) },
  },
  {
    section: '4.1',
    level: 'MUST NOT',
    says: 'match when Vary has a member *',
    cases: {
      'it is not stored': () => {
        assert.equal(storage([...fresh, 'Vary: *']), 'vary');
        assert.equal(storage([...fresh, 'Vary: Cookie', 'Vary: Accept, *']), 'vary');
      },
      'nor when a member is no name': () => assert.equal(storage([...fresh, 'Vary: a b']), 'vary'),
    },
  },
  {
    section: '4.1',
    level: 'SHOULD',
    says: 'use the newest Vary that is not empty, where responses for a URI differ in it',
    shownBy: ['goes by the newest Vary of a key'],
  },
];

/** RFC 9111 section 4.2.3 has no key word but this: what an age is counted from. */
export const section4Age: readonly Statement[] = [
  {
    section: '4.2.3',
    level: 'MUST',
    says: 'count the Age of a response from when the request was sent',
    cases: {
      'the delay is added': () => {
        assert.equal(storedResponse([...fresh, 'Age: 10'], { delayMs: 3000 }).initialAge, 13_000);
      },
      'the older of Date and Age counts': () => {
        assert.equal(storedResponse([...fresh, 'Age: 10', `Date: ${dateAfter(-20)}`]).initialAge, 20_000);
        assert.equal(storedResponse([...fresh, 'Age: 30', `Date: ${dateAfter(-20)}`]).initialAge, 30_000);
      },
      'a Date ahead of the clock is no negative age': () => {
        assert.equal(storedResponse([...fresh, `Date: ${dateAfter(90)}`]).initialAge, 0);
      },
      'the sum makes it stale in time': () => {
        assert.equal(reuseAfter(46, [...fresh, 'Age: 10'], { delayMs: 3000 }).verdict, 'fresh');
        assert.equal(reuseAfter(47, [...fresh, 'Age: 10'], { delayMs: 3000 }).verdict, 'revalidate');
      },
      'a response without Date, or with one that is none, is as old as it came': () => {
        assert.equal(storedResponse(fresh).date, noon);
        assert.equal(storedResponse([...fresh, 'Date: yesterday']).date, noon);
      },
    },
  },
];
