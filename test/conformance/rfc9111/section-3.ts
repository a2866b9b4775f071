import assert from 'node:assert/strict';
import {
  dateAfter,
  judge,
  obeyingRules,
  plainRules,
  policyRequest,
  reuseAfter,
  storage,
  storedLines,
  storedResponse,
} from '../../support/cache-exchange.ts';
import type { Statement } from './statement.ts';

const fresh = ['Cache-Control: max-age=60'];
const authorized = policyRequest(['Authorization: Basic dTpw']);

/** RFC 9111 section 3: storing responses in caches. */
export const section3: readonly Statement[] = [
  {
    section: '3',
    level: 'MUST NOT',
    says: 'store the response to a method that the cache does not understand',
    cases: {
      'GET is understood': () => assert.equal(storage(fresh), 'stored'),
      'no other is stored': () => {
        for (const method of ['HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'QUERY', 'get', 'BREW']) {
          assert.equal(storage(fresh, { request: policyRequest([], method) }), 'method', method);
        }
      },
    },
  },
  {
    section: '3',
    level: 'MUST NOT',
    says: 'store what is no final response',
    cases: {
      'interim statuses': () => {
        for (const status of [100, 101, 102, 103]) assert.equal(storage(fresh, { status }), 'status', `${status}`);
      },
    },
  },
  {
    section: '3',
    level: 'MUST NOT',
    says: 'store 206, 304, or what says must-understand, unless the status is understood',
    cases: {
      '206 and 304 are left alone': () => {
        assert.equal(storage(fresh, { status: 206 }), 'status');
        assert.equal(storage(fresh, { status: 304 }), 'status');
      },
      'must-understand with a status unknown': () => {
        assert.equal(storage(['Cache-Control: must-understand, max-age=60'], { status: 299 }), 'not-understood');
        assert.equal(
          storage(['Cache-Control: must-understand, no-store, max-age=60'], { status: 599 }),
          'not-understood',
        );
      },
      'an unknown status without it counts as the x00 of its class': () => {
        assert.equal(storage(fresh, { status: 299 }), 'stored');
      },
    },
  },
  {
    section: '3',
    level: 'MUST NOT',
    says: 'store a response with no-store',
    cases: {
      'alone and beside what allows it': () => {
        assert.equal(storage(['Cache-Control: no-store']), 'no-store');
        assert.equal(storage(['Cache-Control: public, max-age=60', 'Cache-Control: no-store']), 'no-store');
        assert.equal(storage(['Cache-Control: NO-STORE, max-age=60']), 'no-store');
        assert.equal(storage(['Cache-Control: max-age=60, no-store="x"']), 'no-store');
        assert.equal(storage(['Cache-Control: foo="bar, no-store']), 'no-store');
      },
      'not even where the route has a ttl': () => {
        assert.equal(storage(['Cache-Control: no-store'], { rules: { ...plainRules, ttl: 60_000 } }), 'no-store');
      },
    },
  },
  {
    section: '3',
    level: 'MUST NOT',
    says: 'store in a shared cache what says private, unless that allows to store it modified',
    cases: {
      unqualified: () => assert.equal(storage(['Cache-Control: private, max-age=60']), 'private'),
      'public beside it does not help': () =>
        assert.equal(storage(['Cache-Control: public, private, max-age=60']), 'private'),
      'qualified, without the fields named': () => {
        const lines = ['Cache-Control: max-age=60, private="X-User"', 'X-User: 7', 'X-Other: 8'];
        assert.deepEqual(storedLines(storedResponse(lines)).slice(2), ['X-Other: 8']);
      },
    },
  },
  {
    section: '3',
    level: 'MUST NOT',
    says: 'store in a shared cache the response to a request with Authorization, unless a directive allows it',
    cases: {
      'nothing allows it': () => assert.equal(storage(fresh, { request: authorized }), 'authorization'),
      'Expires does not': () => {
        assert.equal(storage([`Expires: ${dateAfter(60)}`], { request: authorized }), 'authorization');
      },
      'proxy-revalidate does not': () => {
        assert.equal(
          storage(['Cache-Control: max-age=60, proxy-revalidate'], { request: authorized }),
          'authorization',
        );
      },
      'public, must-revalidate and s-maxage do': () => {
        for (const line of ['public, max-age=60', 'must-revalidate, max-age=60', 's-maxage=60']) {
          assert.equal(storage([`Cache-Control: ${line}`], { request: authorized }), 'stored', line);
        }
      },
    },
  },
  {
    section: '3',
    level: 'MUST NOT',
    says: 'store what has none of: public, Expires, max-age, s-maxage, an extension that allows it, a status of which lifetimes may be guessed',
    cases: {
      'each of them is enough': () => {
        const status = 302;
        assert.equal(storage(['Cache-Control: public', 'ETag: "a"'], { status }), 'stored');
        assert.equal(storage([`Expires: ${dateAfter(60)}`], { status }), 'stored');
        assert.equal(storage(['Cache-Control: max-age=60'], { status }), 'stored');
        assert.equal(storage(['Cache-Control: s-maxage=60'], { status }), 'stored');
      },
      'none of them, of a status that is not guessed of, whatever the ttl of the route': () => {
        const rules = { ...plainRules, ttl: 60_000, heuristic: { share: 0.1, max: 1e9 } };
        for (const status of [201, 302, 303, 307, 400, 401, 403, 500, 502, 503]) {
          assert.equal(storage(['ETag: "a"', `Last-Modified: ${dateAfter(-9999)}`], { status, rules }), 'nothing-said');
        }
      },
      'a ttl for the status is an agreement with the origin, out of band': () => {
        const rules = { ...plainRules, ttlByStatus: { '302': 60_000 } };
        assert.equal(storage([], { status: 302, rules }), 'stored');
      },
      'a response that says nothing is not stored of itself, although the status would allow it': () => {
        assert.equal(storage([]), 'nothing-said');
        assert.equal(storage(['ETag: "a"', `Last-Modified: ${dateAfter(-9999)}`]), 'nothing-said');
      },
    },
  },
  {
    section: '3.1',
    level: 'MUST',
    says: 'keep every field of a response, those unknown too, but for those of the connection and the proxy',
    cases: {
      'as they came, in their order': () => {
        const lines = ['X-New: \u00e4 b', 'Cache-Control: max-age=60', 'x-new:c', 'Content-Type: text/html'];
        assert.deepEqual(storedLines(storedResponse(lines)), ['200 Some reason', ...lines]);
      },
      'without those of the connection': () => {
        const kept = storedLines(
          storedResponse(['Cache-Control: max-age=9', 'Connection: close', 'Keep-Alive: x', 'TE: y']),
        );
        assert.deepEqual(kept.slice(1), ['Cache-Control: max-age=9']);
      },
    },
    shownBy: ['stores every field of a response but those of the connection'],
  },
  {
    section: '3.1',
    level: 'MUST NOT',
    says: 'store Proxy-Authenticate, Proxy-Authentication-Info, Proxy-Authorization',
    cases: {
      'they are removed': () => {
        const names = ['Proxy-Authenticate', 'proxy-authentication-info', 'PROXY-AUTHORIZATION'];
        const lines = ['Cache-Control: max-age=9', ...names.map((name) => `${name}: x`)];
        assert.deepEqual(storedLines(storedResponse(lines)).slice(1), ['Cache-Control: max-age=9']);
      },
    },
  },
  {
    section: '3.1',
    level: 'MUST NOT',
    says: 'combine trailer fields with header fields',
    shownBy: ['does not make header fields of trailers'],
  },
  {
    section: '3.3',
    level: 'MUST NOT',
    says: 'store incomplete responses without supporting their parts',
    cases: {
      'a 206 is never stored': () => {
        assert.equal(storage([...fresh, 'Content-Range: bytes 0-4/10'], { status: 206 }), 'status');
      },
      'nor what says Content-Range under another status': () => {
        assert.equal(storage([...fresh, 'Content-Range: bytes 0-4/10']), 'status');
      },
    },
    shownBy: ['does not store a response that was cut'],
  },
  {
    section: '3.3',
    level: 'MUST NOT',
    says: 'answer with an incomplete response',
    shownBy: ['does not store a response that was cut'],
  },
  {
    section: '3.3',
    level: 'MUST NOT',
    says: 'send a part without saying so by 206',
    shownBy: ['answers a range of a stored response with 206'],
  },
  {
    section: '3.4',
    level: 'MUST',
    says: 'when combining parts, replace the fields of the stored response by the new ones',
    cases: {
      'parts are never combined, because none is stored': () => assert.equal(storage(fresh, { status: 206 }), 'status'),
    },
  },
  {
    section: '3.5',
    level: 'MUST NOT',
    says: 'use the response to a request with Authorization for another one, unless a directive allows to store it, and without keeping to that directive',
    cases: {
      'must-revalidate: never stale': () => {
        const lines = ['Cache-Control: must-revalidate, max-age=10, stale-while-revalidate=99, stale-if-error=99'];
        const options = { request: authorized, by: authorized };
        assert.equal(reuseAfter(9, lines, options).verdict, 'fresh');
        assert.deepEqual(reuseAfter(11, lines, options).verdict, 'revalidate');
        assert.equal(reuseAfter(11, lines, options).onErrorUntil, 0);
      },
      's-maxage: never stale': () => {
        const lines = ['Cache-Control: s-maxage=10, stale-if-error=99'];
        assert.equal(reuseAfter(11, lines, { request: authorized }).onErrorUntil, 0);
      },
      'what was stored of a request without it does not answer one with it unless allowed': () => {
        assert.equal(reuseAfter(1, fresh, { by: authorized }).verdict, 'fetch');
        assert.equal(reuseAfter(1, ['Cache-Control: public, max-age=60'], { by: authorized }).verdict, 'fresh');
        assert.equal(reuseAfter(1, ['Cache-Control: s-maxage=60'], { by: authorized }).verdict, 'fresh');
      },
    },
  },
  {
    section: '3',
    level: 'MAY',
    says: 'leave responses unstored that would never be used (stale at once, without validator)',
    cases: {
      'max-age=0 without a validator': () => assert.equal(storage(['Cache-Control: max-age=0']), 'stale'),
      'with one': () => assert.equal(storage(['Cache-Control: max-age=0', 'ETag: "a"']), 'stored'),
      'with a time of grace': () => {
        assert.equal(storage(['Cache-Control: max-age=0, stale-while-revalidate=9']), 'stored');
        assert.equal(storage(['Cache-Control: max-age=0, stale-if-error=9']), 'stored');
        assert.equal(storage(['Cache-Control: max-age=0, must-revalidate, stale-if-error=9']), 'stale');
      },
    },
  },
  {
    section: '3',
    level: 'MAY',
    says: 'not store responses with Set-Cookie (RFC 9111 section 7.3 leaves them to caches and origins)',
    cases: {
      'as they come': () => {
        assert.equal(storage([...fresh, 'Set-Cookie: a=b']), 'set-cookie');
        assert.equal(storage(['Cache-Control: public, s-maxage=60', 'Set-Cookie: a=b']), 'set-cookie');
      },
      'by option, without them': () => {
        const decision = judge([...fresh, 'Set-Cookie: a=b', 'X: y'], {
          rules: { ...plainRules, storeSetCookie: true },
        });
        assert.ok(decision.store);
        assert.deepEqual(storedLines(decision.response).slice(1), [...fresh, 'X: y']);
        assert.deepEqual(decision.removedFields, ['set-cookie']);
      },
      'when the origin itself says to leave them out': () => {
        for (const directive of ['private="set-cookie"', 'no-cache="Set-Cookie"']) {
          const stored = storedResponse([`Cache-Control: max-age=60, ${directive}`, 'Set-Cookie: a=b']);
          assert.equal(storedLines(stored).length, 2);
        }
      },
    },
  },
  {
    section: '3',
    level: 'MAY',
    says: 'obey or not obey what requests say about storing (section 5.2.1)',
    cases: {
      'by option': () => {
        const request = policyRequest(['Cache-Control: no-store']);
        assert.equal(storage(fresh, { request }), 'stored');
        assert.equal(storage(fresh, { request, rules: obeyingRules }), 'request-no-store');
      },
    },
  },
];
