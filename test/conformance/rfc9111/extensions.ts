import assert from 'node:assert/strict';
import { renewStored } from '../../../src/cache/policy/renewal.ts';
import {
  dateAfter,
  noon,
  obeyingRules,
  plainRules,
  policyRequest,
  receivedResponse,
  reuseAfter,
  storage,
  storedLines,
  storedResponse,
} from '../../support/cache-exchange.ts';
import type { Statement } from './statement.ts';

/** RFC 5861, 8246 and 9213, as far as they bind a shared cache. */
export const extensions: readonly Statement[] = [
  {
    section: 'RFC 5861 3',
    level: 'MAY',
    says: 'answer with a response that has been stale for no longer than stale-while-revalidate',
    cases: {
      'to the second': () => {
        const lines = ['Cache-Control: max-age=60, stale-while-revalidate=30'];
        assert.equal(reuseAfter(60, lines).verdict, 'stale-while-revalidate');
        assert.equal(reuseAfter(89, lines).verdict, 'stale-while-revalidate');
        assert.equal(reuseAfter(90, lines).verdict, 'revalidate');
      },
      'what the response says counts before what the route says': () => {
        const rules = { ...plainRules, staleWhileRevalidate: 1e6 };
        const lines = ['Cache-Control: max-age=60, stale-while-revalidate=0'];
        assert.equal(reuseAfter(61, lines, { rules }).verdict, 'revalidate');
      },
      'what cannot be read allows nothing': () => {
        assert.equal(reuseAfter(61, ['Cache-Control: max-age=60, stale-while-revalidate=x']).verdict, 'revalidate');
      },
    },
  },
  {
    section: 'RFC 5861 3',
    level: 'SHOULD',
    says: 'revalidate meanwhile, without keeping the client waiting',
    shownBy: ['answers at once while it renews in the background'],
  },
  {
    section: 'RFC 5861 4',
    level: 'MAY',
    says: 'answer with a response that has been stale for no longer than stale-if-error when the upstream fails',
    cases: {
      'as the response says, else the route': () => {
        const lines = ['Cache-Control: max-age=60, stale-if-error=30'];
        assert.equal(reuseAfter(89, lines).onErrorUntil, noon + 90_000);
        assert.equal(reuseAfter(90, lines).onErrorUntil, 0);
        const rules = { ...plainRules, staleIfError: 5000 };
        assert.equal(reuseAfter(61, ['Cache-Control: max-age=60'], { rules }).onErrorUntil, noon + 65_000);
        assert.equal(reuseAfter(61, ['Cache-Control: max-age=60, stale-if-error=0'], { rules }).onErrorUntil, 0);
      },
      'as the request says, where it is obeyed': () => {
        const by = policyRequest(['Cache-Control: stale-if-error=30']);
        const lines = ['Cache-Control: max-age=60'];
        assert.equal(reuseAfter(61, lines, { by, rules: obeyingRules }).onErrorUntil, noon + 90_000);
        assert.equal(reuseAfter(61, lines, { by }).onErrorUntil, 0);
      },
    },
    shownBy: ['answers with a stale response when the upstream fails, while it may'],
  },
  {
    section: 'RFC 8246 2',
    level: 'SHOULD NOT',
    says: 'validate an immutable response while it is fresh, unless that is asked for expressly',
    cases: {
      'a reload (max-age=0) is answered, a forced one (no-cache) validated': () => {
        const lines = ['Cache-Control: max-age=60, immutable', 'ETag: "a"'];
        const options = (line: string) => ({ by: policyRequest([`Cache-Control: ${line}`]), rules: obeyingRules });
        assert.equal(reuseAfter(9, lines, options('max-age=0')).verdict, 'fresh');
        assert.equal(reuseAfter(9, lines, options('no-cache')).verdict, 'revalidate');
        assert.equal(reuseAfter(61, lines, options('max-age=0')).verdict, 'revalidate');
      },
    },
  },
  {
    section: 'RFC 9213 2.1',
    level: 'MUST',
    says: 'ignore a targeted field that is empty or cannot be parsed',
    cases: {
      'Cache-Control counts then': () => {
        for (const value of [
          '',
          'max-age=60;',
          'max-age=',
          'Max-Age=60',
          'max-age=60, ,no-store',
          '"x"',
          'max-age=60 no-store',
          'a=(',
          'max-age=60,',
        ]) {
          const lines = ['Cache-Control: max-age=5', `CDN-Cache-Control: ${value}`];
          assert.equal(storedResponse(lines).lifetime, 5000, value);
        }
      },
    },
  },
  {
    section: 'RFC 9213 2.1',
    level: 'SHOULD NOT',
    says: 'read values of another type than the directive has',
    cases: {
      'a lifetime of another type is none': () => {
        for (const value of ['60.5', '"60"', 'abc', ':NjA=:', '(60)', '?1', '-60']) {
          const lines = [`CDN-Cache-Control: max-age=${value}`, 'ETag: "a"'];
          assert.equal(storedResponse(lines).lifetime, 0, value);
        }
      },
      'a false directive does not hold': () => {
        assert.equal(storage(['CDN-Cache-Control: max-age=60, no-store=?0']), 'stored');
      },
      'parameters are ignored': () => {
        assert.equal(storedResponse(['CDN-Cache-Control: max-age=60;a=1;b, no-transform;x']).lifetime, 60_000);
      },
      'the last of several members counts': () => {
        assert.equal(storedResponse(['CDN-Cache-Control: max-age=60', 'CDN-Cache-Control: max-age=7']).lifetime, 7000);
      },
    },
  },
  {
    section: 'RFC 9213 2.2',
    level: 'MUST',
    says: 'go by the first valid targeted field of the list, and ignore Cache-Control and Expires',
    cases: {
      'more or less than they say': () => {
        assert.equal(storage(['Cache-Control: no-store', 'CDN-Cache-Control: max-age=60']), 'stored');
        assert.equal(storage(['Cache-Control: max-age=60', 'CDN-Cache-Control: no-store']), 'no-store');
        assert.equal(storage(['CDN-Cache-Control: none', `Expires: ${dateAfter(60)}`]), 'nothing-said');
      },
      'Surrogate-Control comes behind it in the list': () => {
        const surrogate = 'Surrogate-Control: max-age=9, content="ESI/1.0"';
        assert.equal(storedResponse([surrogate, 'Cache-Control: private']).lifetime, 9000);
        assert.equal(storedResponse([surrogate, 'CDN-Cache-Control: max-age=8']).lifetime, 8000);
        assert.equal(storage(['Surrogate-Control: content="ESI/1.0"', 'Cache-Control: private']), 'private');
      },
      'by option': () => {
        const rules = { ...plainRules, targeted: false };
        assert.equal(storage(['Cache-Control: no-store', 'CDN-Cache-Control: max-age=60'], { rules }), 'no-store');
      },
      'it holds on when a 304 does not repeat it': () => {
        const stored = storedResponse(['Surrogate-Control: max-age=9', 'Cache-Control: max-age=1', 'ETag: "a"']);
        const times = { requestTime: noon, responseTime: noon };
        const renewal = renewStored(stored, receivedResponse(['ETag: "a"'], 304), plainRules, times);
        assert.equal(renewal.kind === 'renewed' && renewal.response.lifetime, 9000);
      },
    },
  },
  {
    section: 'RFC 9213 2.2',
    level: 'MUST',
    says: 'implement max-age, must-revalidate, no-store, no-cache and private in targeted fields, and should the others',
    cases: {
      'each of them': () => {
        const cdn = (value: string) => [`CDN-Cache-Control: ${value}`, 'ETag: "a"'];
        assert.equal(
          reuseAfter(61, cdn('max-age=60, must-revalidate, stale-while-revalidate=9')).verdict,
          'revalidate',
        );
        assert.equal(reuseAfter(61, cdn('max-age=60, stale-while-revalidate=9')).verdict, 'stale-while-revalidate');
        assert.equal(storage(cdn('no-store')), 'no-store');
        assert.equal(reuseAfter(1, cdn('max-age=60, no-cache')).verdict, 'revalidate');
        assert.equal(storage(cdn('private, max-age=60')), 'private');
        assert.equal(storedResponse(cdn('max-age=60, s-maxage=5')).lifetime, 5000);
      },
      qualified: () => {
        const stored = storedResponse(['CDN-Cache-Control: max-age=60, private="X-A"', 'X-A: 1']);
        assert.equal(storedLines(stored).length, 2);
      },
    },
  },
  {
    section: 'RFC 9213 2.2',
    level: 'MUST NOT',
    says: 'change its behaviour by targeted fields that are not on its list; they are passed on',
    cases: {
      'another name': () => {
        const line = 'Example-CDN-Cache-Control: no-store';
        assert.deepEqual(storedLines(storedResponse(['Cache-Control: max-age=60', line])).slice(2), [line]);
      },
    },
  },
];
