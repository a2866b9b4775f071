import assert from 'node:assert/strict';
import {
  dateAfter,
  obeyingRules,
  plainRules,
  policyRequest,
  reuseAfter,
  storage,
  storedResponse,
} from '../../support/cache-exchange.ts';
import type { Statement } from './statement.ts';

function lifetime(lines: readonly string[], rules = plainRules, status = 200): number {
  // With a validator, so that what is stale at once is stored too.
  return storedResponse([...lines, 'ETag: "a"'], { rules, status }).lifetime / 1000;
}

/** RFC 9111 section 4.2: freshness. */
export const section4Freshness: readonly Statement[] = [
  {
    section: '4.2',
    level: 'SHOULD',
    says: 'read dates whatever the case of their letters',
    cases: {
      'of Expires and Date': () => {
        assert.equal(lifetime([`EXPIRES: ${dateAfter(60).toUpperCase()}`, `date: ${dateAfter(0).toLowerCase()}`]), 60);
        assert.equal(lifetime(['Expires: sunday, 22-nov-26 12:01:00 gmt']), 60);
      },
    },
  },
  {
    section: '4.2',
    level: 'MUST',
    says: 'round Expires down where the clock is coarser than the date',
    cases: { 'it is finer': () => assert.equal(lifetime([`Expires: ${dateAfter(1)}`]), 1) },
  },
  {
    section: '4.2',
    level: 'MUST NOT',
    says: 'let the local time zone have a say',
    cases: {
      'not in what is parsed': () => {
        const before = process.env['TZ'];
        process.env['TZ'] = 'Pacific/Kiritimati';
        try {
          assert.equal(lifetime(['Expires: Sun, 22 Nov 2026 12:01:00 GMT']), 60);
          assert.equal(lifetime(['Expires: Sun Nov 22 12:01:00 2026']), 60);
        } finally {
          if (before === undefined) delete process.env['TZ'];
          else process.env['TZ'] = before;
        }
      },
    },
  },
  {
    section: '4.2',
    level: 'SHOULD',
    says: 'take a date of another zone than GMT for invalid',
    cases: {
      'it is stale': () => {
        assert.equal(lifetime(['Expires: Sun, 22 Nov 2026 13:00:00 EST']), 0);
        assert.equal(lifetime(['Expires: Sun, 22 Nov 2026 13:00:00 UTC']), 0);
      },
    },
  },
  {
    section: '4.2.1',
    level: 'MUST',
    says: 'take s-maxage, else max-age, else Expires minus Date',
    cases: {
      's-maxage first': () => {
        assert.equal(lifetime(['Cache-Control: max-age=1, s-maxage=2', `Expires: ${dateAfter(3)}`]), 2);
      },
      'then max-age': () => assert.equal(lifetime(['Cache-Control: max-age=1', `Expires: ${dateAfter(3)}`]), 1),
      'then Expires, counted from Date': () => {
        assert.equal(lifetime([`Expires: ${dateAfter(3)}`, `Date: ${dateAfter(-100)}`]), 103);
        assert.equal(lifetime([`Expires: ${dateAfter(-3)}`]), 0);
      },
    },
  },
  {
    section: '4.2.1',
    level: 'ought',
    says: 'of several values of a directive use the first, or consider the response stale',
    cases: {
      'the same twice is once': () =>
        assert.equal(lifetime(['Cache-Control: max-age=5', 'Cache-Control: max-age=05']), 5),
      'max-age that differs': () => assert.equal(lifetime(['Cache-Control: max-age=5, max-age=6']), 0),
      's-maxage that differs': () => assert.equal(lifetime(['Cache-Control: max-age=5, s-maxage=6, s-maxage=7']), 0),
      'Expires that differs': () => assert.equal(lifetime([`Expires: ${dateAfter(5)}`, `Expires: ${dateAfter(6)}`]), 0),
    },
  },
  {
    section: '4.2.1',
    level: 'ought',
    says: 'honour the most restrictive of directives that conflict',
    cases: {
      'no-cache with max-age': () => {
        assert.equal(reuseAfter(1, ['Cache-Control: max-age=60, no-cache', 'ETag: "a"']).verdict, 'revalidate');
      },
      'no-store with public': () => assert.equal(storage(['Cache-Control: public, no-store, max-age=9']), 'no-store'),
      'private with s-maxage': () => assert.equal(storage(['Cache-Control: private, s-maxage=9']), 'private'),
      'no-cache with a qualified no-cache': () => {
        assert.equal(
          reuseAfter(1, ['Cache-Control: max-age=60, no-cache="x", no-cache', 'ETag: "a"']).verdict,
          'revalidate',
        );
      },
    },
  },
  {
    section: '4.2.1',
    level: 'ought',
    says: 'consider a response stale whose freshness cannot be read',
    cases: {
      'what is no number of seconds': () => {
        for (const value of ['', '=', '=-1', '=1.5', '=abc', '=1s', '=" 5"', '=5;6', '= 5', '=0x10', '="5']) {
          assert.equal(lifetime([`Cache-Control: max-age${value}`]), 0, `max-age${value}`);
        }
      },
      'a broken s-maxage is not made good by max-age': () => {
        assert.equal(lifetime(['Cache-Control: max-age=60, s-maxage=x']), 0);
      },
      'nor a broken max-age by Expires or the ttl': () => {
        assert.equal(
          lifetime(['Cache-Control: max-age=x', `Expires: ${dateAfter(9)}`], { ...plainRules, ttl: 9000 }),
          0,
        );
      },
    },
  },
  {
    section: '4.2.2',
    level: 'MUST NOT',
    says: 'guess when the response says how long it is fresh',
    cases: {
      'neither from Last-Modified nor by the ttl of the route': () => {
        const rules = { ...plainRules, ttl: 9000, ttlByStatus: { '200': 8000 }, heuristic: { share: 0.1, max: 1e9 } };
        const modified = `Last-Modified: ${dateAfter(-1000)}`;
        assert.equal(lifetime([modified, 'Cache-Control: max-age=1'], rules), 1);
        assert.equal(lifetime([modified, `Expires: ${dateAfter(2)}`], rules), 2);
        assert.equal(lifetime([modified, 'Expires: 0'], rules), 0);
      },
    },
  },
  {
    section: '4.2.2',
    level: 'MUST NOT',
    says: 'guess of statuses that do not allow it, unless the response is marked as cacheable',
    cases: {
      'public marks it': () => {
        const rules = { ...plainRules, heuristic: { share: 0.1, max: 1e9 } };
        const lines = [`Last-Modified: ${dateAfter(-1000)}`];
        assert.equal(storage(lines, { rules, status: 302 }), 'nothing-said');
        assert.equal(lifetime(['Cache-Control: public', ...lines], rules, 302), 100);
      },
      'the statuses of RFC 9110': () => {
        const rules = { ...plainRules, ttl: 5000 };
        for (const status of [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501]) {
          assert.equal(lifetime([], rules, status), 5, `${status}`);
        }
      },
    },
  },
  {
    section: '4.2.2',
    level: 'ought',
    says: 'guess no more than a fraction of the time since Last-Modified',
    cases: {
      'the share and the cap of the route': () => {
        const rules = { ...plainRules, heuristic: { share: 0.1, max: 60_000 } };
        assert.equal(lifetime([`Last-Modified: ${dateAfter(-100)}`], rules), 10);
        assert.equal(lifetime([`Last-Modified: ${dateAfter(-100_000)}`], rules), 60);
      },
      'nothing when it lies ahead of Date': () => {
        const rules = { ...plainRules, heuristic: { share: 0.1, max: 60_000 } };
        assert.equal(storage([`Last-Modified: ${dateAfter(100)}`], { rules }), 'nothing-said');
      },
    },
  },
  {
    section: '4.2.4',
    level: 'MUST NOT',
    says: 'send a stale response when a directive forbids it: no-cache, must-revalidate, s-maxage, proxy-revalidate',
    cases: {
      'whatever the route and the request allow': () => {
        const rules = { ...obeyingRules, staleWhileRevalidate: 1e6, staleIfError: 1e6 };
        const by = policyRequest(['Cache-Control: max-stale, stale-if-error=999']);
        for (const line of [
          'max-age=10, must-revalidate',
          'max-age=10, proxy-revalidate',
          's-maxage=10',
          's-maxage=10, stale-while-revalidate=60',
          'max-age=10, no-cache',
        ]) {
          const reuse = reuseAfter(11, [`Cache-Control: ${line}`, 'ETag: "a"'], { rules, by });
          assert.deepEqual([reuse.verdict, reuse.onErrorUntil], ['revalidate', 0], line);
        }
      },
    },
    shownBy: ['answers 504 rather than with a stale response that must be revalidated'],
  },
  {
    section: '4.2.4',
    level: 'MUST NOT',
    says: 'send a stale response while connected unless client or origin allow it',
    cases: {
      'nobody does': () => {
        const { verdict, onErrorUntil } = reuseAfter(61, ['Cache-Control: max-age=60', 'ETag: "a"']);
        assert.deepEqual([verdict, onErrorUntil], ['revalidate', 0]);
      },
      'the request does (max-stale), where the route obeys requests': () => {
        const by = policyRequest(['Cache-Control: max-stale=10']);
        const lines = ['Cache-Control: max-age=60'];
        assert.equal(reuseAfter(70, lines, { by, rules: obeyingRules }).verdict, 'stale');
        assert.equal(reuseAfter(71, lines, { by, rules: obeyingRules }).verdict, 'revalidate');
        assert.equal(reuseAfter(61, lines, { by }).verdict, 'revalidate');
      },
      'the route does, by agreement with the origin': () => {
        const rules = { ...plainRules, staleWhileRevalidate: 5000 };
        assert.equal(reuseAfter(64, ['Cache-Control: max-age=60'], { rules }).verdict, 'stale-while-revalidate');
        assert.equal(reuseAfter(65, ['Cache-Control: max-age=60'], { rules }).verdict, 'revalidate');
      },
    },
  },
];
