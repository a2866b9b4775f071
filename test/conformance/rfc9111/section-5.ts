import assert from 'node:assert/strict';
import { wantsOnlyStored } from '../../../src/cache/policy/reuse.ts';
import {
  dateAfter,
  obeyingRules,
  plainRules,
  policyRequest,
  reuseAfter,
  storage,
  storedLines,
  storedResponse,
} from '../../support/cache-exchange.ts';
import type { Statement } from './statement.ts';

const fresh = ['Cache-Control: max-age=60', 'ETag: "a"'];

/** The verdict for a request with that Cache-Control, on a route that obeys it. */
function wished(seconds: number, cacheControl: string, lines: readonly string[] = fresh): string {
  const by = policyRequest([`Cache-Control: ${cacheControl}`]);
  return reuseAfter(seconds, lines, { by, rules: obeyingRules }).verdict;
}

/** RFC 9111 sections 1.2.2 and 5, but for the directives of responses: values and fields. */
export const section5: readonly Statement[] = [
  {
    section: '1.2.2',
    level: 'MUST',
    says: 'take more seconds than can be counted for 2^31',
    cases: {
      'of max-age and Age': () => {
        for (const digits of ['2147483648', '2147483649', '99999999999999999999999', '9'.repeat(400)]) {
          assert.equal(storedResponse([`Cache-Control: max-age=${digits}`]).lifetime, 2 ** 31 * 1000);
          assert.equal(reuseAfter(9, [...fresh, `Age: ${digits}`]).age, 2 ** 31);
          assert.equal(reuseAfter(9, [...fresh, `Age: ${digits}`]).verdict, 'revalidate');
        }
      },
    },
  },
  {
    section: '5.1',
    level: 'SHOULD',
    says: 'use the first of several values of Age',
    cases: {
      'in one line and in two': () => {
        assert.equal(storedResponse([...fresh, 'Age: 3, 20']).initialAge, 3000);
        assert.equal(storedResponse([...fresh, 'Age: 3', 'Age: 20']).initialAge, 3000);
      },
    },
  },
  {
    section: '5.1',
    level: 'SHOULD',
    says: 'ignore an Age that is no number of seconds',
    cases: {
      'as if there was none': () => {
        for (const value of ['', 'x', '-5', '1.5', '7s', '"7"', '0x7', '+7']) {
          assert.equal(storedResponse([...fresh, `Age: ${value}`]).initialAge, 0, value);
        }
      },
    },
  },
  {
    section: '5.2',
    level: 'MUST',
    says: 'pass the directives of Cache-Control on, whatever they mean here',
    cases: {
      'they are kept as they came': () => {
        const line = 'Cache-Control:  Max-Age=60,  community="UCI",no-transform, foo';
        assert.deepEqual(storedLines(storedResponse([line])).slice(1), [line]);
      },
    },
    shownBy: ['passes Cache-Control on as it came, both ways'],
  },
  {
    section: '5.2',
    level: 'MUST',
    says: 'compare the names of directives without regard to case',
    cases: {
      'all of them': () => {
        assert.equal(storedResponse(['CACHE-CONTROL: MAX-AGE=1, S-MaxAge=2']).lifetime, 2000);
        assert.equal(storage(['cache-control: Private']), 'private');
      },
    },
  },
  {
    section: '5.2',
    level: 'ought',
    says: 'accept token and quoted-string for every argument',
    cases: {
      'of seconds': () => {
        assert.equal(storedResponse(['Cache-Control: max-age="60"']).lifetime, 60_000);
        assert.equal(storedResponse(['Cache-Control: max-age="\\60"']).lifetime, 60_000);
      },
      'of names': () => {
        const stored = storedResponse(['Cache-Control: max-age=60, private=x-user', 'X-User: 1']);
        assert.equal(storedLines(stored).length, 2);
      },
    },
  },
  {
    section: '5.2.1',
    level: 'MAY',
    says: 'ignore the directives of requests, as a route does that does not obey them',
    cases: {
      'no client can make it ask the upstream': () => {
        for (const line of [
          'Cache-Control: no-cache',
          'Cache-Control: max-age=0',
          'Pragma: no-cache',
          'Cache-Control: min-fresh=99',
        ]) {
          assert.equal(reuseAfter(1, fresh, { by: policyRequest([line]) }).verdict, 'fresh', line);
        }
      },
    },
  },
  {
    section: '5.2.1.1',
    level: 'ought',
    says: 'answer max-age with nothing older than that',
    cases: {
      'older is validated': () => {
        assert.equal(wished(10, 'max-age=10'), 'fresh');
        assert.equal(wished(11, 'max-age=10'), 'revalidate');
        assert.equal(wished(1, 'max-age=0'), 'revalidate');
        assert.equal(wished(1, 'max-age=x'), 'revalidate');
      },
      'and nothing stale, without max-stale': () => {
        assert.equal(wished(61, 'max-age=100'), 'revalidate');
        assert.equal(wished(61, 'max-age=100, max-stale=5'), 'stale');
      },
    },
  },
  {
    section: '5.2.1.2',
    level: 'ought',
    says: 'answer max-stale with what has been stale for no longer than that',
    cases: {
      'with and without a bound': () => {
        assert.equal(wished(65, 'max-stale=5'), 'stale');
        assert.equal(wished(66, 'max-stale=5'), 'revalidate');
        assert.equal(wished(9999, 'max-stale'), 'stale');
        assert.equal(wished(61, 'max-stale=x'), 'revalidate');
        assert.equal(wished(62, 'max-stale, max-stale=1'), 'revalidate');
      },
    },
  },
  {
    section: '5.2.1.3',
    level: 'ought',
    says: 'answer min-fresh with what stays fresh for that long',
    cases: {
      'to the second': () => {
        assert.equal(wished(40, 'min-fresh=20'), 'fresh');
        assert.equal(wished(41, 'min-fresh=20'), 'revalidate');
        assert.equal(wished(1, 'min-fresh=x'), 'revalidate');
      },
    },
  },
  {
    section: '5.2.1.4',
    level: 'ought',
    says: 'answer no-cache only after validation',
    cases: {
      'although it is fresh; it may answer when the upstream fails': () => {
        const by = policyRequest(['Cache-Control: no-cache']);
        const reuse = reuseAfter(1, fresh, { by, rules: obeyingRules });
        assert.deepEqual([reuse.verdict, reuse.reason], ['revalidate', 'request-no-cache']);
        assert.ok(reuse.onErrorUntil > 0);
      },
    },
  },
  {
    section: '5.2.1.5',
    level: 'MUST NOT',
    says: 'store the response to a request with no-store, where requests are obeyed; what is stored already may answer it',
    cases: {
      both: () => {
        const request = policyRequest(['Cache-Control: no-store']);
        assert.equal(storage(fresh, { request, rules: obeyingRules }), 'request-no-store');
        assert.equal(wished(1, 'no-store'), 'fresh');
      },
    },
  },
  {
    section: '5.2.1.6',
    level: 'MAY',
    says: 'obey no-transform of a request; bodies are coded only for clients that accept it, and never where the response forbids it',
    shownBy: ['does not compress a response with no-transform, fresh from upstream or stored'],
  },
  {
    section: '5.2.1.7',
    level: 'SHOULD',
    says: 'answer only-if-cached from what is stored, or 504',
    cases: {
      'stored and fresh, stale, and not stored': () => {
        assert.equal(wished(1, 'only-if-cached'), 'fresh');
        assert.equal(wished(61, 'only-if-cached'), 'gateway-timeout');
        assert.equal(wished(61, 'only-if-cached, max-stale'), 'stale');
        assert.equal(wished(1, 'only-if-cached, no-cache'), 'gateway-timeout');
        assert.ok(wantsOnlyStored(policyRequest(['Cache-Control: only-if-cached']), obeyingRules));
        assert.ok(!wantsOnlyStored(policyRequest(['Cache-Control: only-if-cached']), plainRules));
        assert.ok(!wantsOnlyStored(policyRequest(), obeyingRules));
      },
    },
    shownBy: ['answers 504 to only-if-cached when nothing is stored'],
  },
  {
    section: '5.3',
    level: 'MUST',
    says: 'ignore Expires where there is max-age, and in a shared cache where there is s-maxage',
    cases: {
      both: () => {
        for (const name of ['max-age', 's-maxage']) {
          assert.equal(storedResponse([`Cache-Control: ${name}=5`, `Expires: ${dateAfter(99)}`]).lifetime, 5000);
        }
      },
    },
  },
  {
    section: '5.3',
    level: 'MUST',
    says: 'take an invalid Expires, 0 above all, for a time in the past',
    cases: {
      'what is no date': () => {
        for (const value of [
          '0',
          '-1',
          '',
          'never',
          '1795348800',
          'Sun, 22 Nov 2026 12:99:00 GMT',
          'Sun, 31 Feb 2027 12:00:00 GMT',
        ]) {
          assert.equal(storedResponse([`Expires: ${value}`, 'ETag: "a"']).lifetime, 0, value);
        }
      },
    },
  },
  {
    section: '5.4',
    level: 'ought',
    says: 'take Pragma: no-cache of a request for Cache-Control: no-cache where that field is absent (as RFC 7234 had it)',
    cases: {
      'on a route that obeys requests': () => {
        const options = { rules: obeyingRules };
        const alone = policyRequest(['Pragma: x, No-Cache']);
        assert.equal(reuseAfter(1, fresh, { by: alone, ...options }).verdict, 'revalidate');
        const beside = policyRequest(['Pragma: no-cache', 'Cache-Control: max-age=60']);
        assert.equal(reuseAfter(1, fresh, { by: beside, ...options }).verdict, 'fresh');
      },
    },
  },
  {
    section: '5.4',
    level: 'ought',
    says: 'give Pragma in a response no meaning',
    cases: { 'it is stored': () => assert.equal(storage([...fresh, 'Pragma: no-cache']), 'stored') },
  },
  {
    section: '5.5',
    level: 'ought',
    says: 'send no Warning of its own: the field is obsolete',
    shownBy: ['sends no Warning with a stale response'],
  },
];
