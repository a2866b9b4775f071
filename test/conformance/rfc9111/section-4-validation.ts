import assert from 'node:assert/strict';
import { invalidatedBy } from '../../../src/cache/policy/invalidation.ts';
import { type Renewal, renewByHead, renewStored } from '../../../src/cache/policy/renewal.ts';
import { conditionalFields, evaluateClientConditions, selectFreshened } from '../../../src/cache/policy/validation.ts';
import type { StoredResponse } from '../../../src/cache/stored-response.ts';
import {
  dateAfter,
  fieldsFrom,
  noon,
  plainRules,
  receivedResponse,
  reuseAfter,
  storedLines,
  storedResponse,
} from '../../support/cache-exchange.ts';
import type { Statement } from './statement.ts';

const fresh = ['Cache-Control: max-age=60'];
const tagged = storedResponse([...fresh, 'ETag: "a"']);

/** A 304 that comes ten seconds behind noon. */
function notModified(stored: StoredResponse, lines: readonly string[]): Renewal {
  const times = { requestTime: noon + 10_000, responseTime: noon + 10_000 };
  return renewStored(stored, receivedResponse(lines, 304), plainRules, times);
}

function renewedLines(stored: StoredResponse, lines: readonly string[]): string[] {
  const renewal = notModified(stored, lines);
  if (renewal.kind !== 'renewed') assert.fail(renewal.kind);
  return storedLines(renewal.response);
}

/** A 200 to HEAD. */
function headed(stored: StoredResponse, lines: readonly string[], contentLength?: number): Renewal {
  const times = { requestTime: noon + 10_000, responseTime: noon + 10_000 };
  return renewByHead(stored, receivedResponse(lines), contentLength, plainRules, times);
}

function conditions(stored: StoredResponse, lines: readonly string[]): string {
  return evaluateClientConditions(stored, fieldsFrom(lines), noon / 1000);
}

/** RFC 9111 section 4.3: validation. */
export const section4Validation: readonly Statement[] = [
  {
    section: '4.3.1',
    level: 'MUST',
    says: 'validate by the validators that the stored response has',
    cases: {
      both: () => {
        const stored = storedResponse([...fresh, 'ETag: W/"a"', `Last-Modified: ${dateAfter(-60)}`]);
        const expected = ['if-none-match', 'W/"a"', 'if-modified-since', dateAfter(-60)];
        assert.deepEqual(conditionalFields(stored), expected);
      },
      'none that was not sent': () => {
        assert.deepEqual(conditionalFields(tagged), ['if-none-match', '"a"']);
        assert.deepEqual(conditionalFields(storedResponse([...fresh, 'ETag:'])), []);
        assert.deepEqual(conditionalFields(storedResponse([...fresh, 'Last-Modified: no date'])), []);
      },
    },
    shownBy: ['revalidates a stale response by its validators and in the place of those of the client'],
  },
  {
    section: '4.3.2',
    level: 'SHOULD',
    says: 'answer 304 to If-None-Match that is * or has the entity tag of the stored response',
    cases: {
      'compared weakly': () => {
        assert.equal(conditions(tagged, ['If-None-Match: "x", W/"a"']), 'not-modified');
        assert.equal(conditions(tagged, ['If-None-Match: "x"', 'If-None-Match: "a"']), 'not-modified');
        assert.equal(conditions(tagged, ['If-None-Match: *']), 'not-modified');
        assert.equal(conditions(tagged, ['If-None-Match: "x"']), 'proceed');
        assert.equal(conditions(storedResponse(fresh), ['If-None-Match: ""', 'If-None-Match:']), 'proceed');
      },
    },
    shownBy: ['answers the conditions of a client from the stored response'],
  },
  {
    section: '4.3.2',
    level: 'SHOULD',
    says: 'answer 304 to If-Modified-Since (without If-None-Match) by Last-Modified, else Date, else the time of receipt',
    cases: {
      'Last-Modified': () => {
        const stored = storedResponse([...fresh, `Last-Modified: ${dateAfter(-60)}`, `Date: ${dateAfter(-10)}`]);
        assert.equal(conditions(stored, [`If-Modified-Since: ${dateAfter(-60)}`]), 'not-modified');
        assert.equal(conditions(stored, [`If-Modified-Since: ${dateAfter(-61)}`]), 'proceed');
        assert.equal(conditions(stored, ['If-Modified-Since: today']), 'proceed');
      },
      Date: () => {
        const stored = storedResponse([...fresh, `Date: ${dateAfter(-10)}`]);
        assert.equal(conditions(stored, [`If-Modified-Since: ${dateAfter(-10)}`]), 'not-modified');
        assert.equal(conditions(stored, [`If-Modified-Since: ${dateAfter(-11)}`]), 'proceed');
      },
      'the time of receipt': () => {
        const stored = storedResponse(fresh);
        assert.equal(conditions(stored, [`If-Modified-Since: ${dateAfter(0)}`]), 'not-modified');
        assert.equal(conditions(stored, [`If-Modified-Since: ${dateAfter(-1)}`]), 'proceed');
      },
      'If-None-Match speaks alone where it is': () => {
        const lines = ['If-None-Match: "x"', `If-Modified-Since: ${dateAfter(0)}`];
        assert.equal(conditions(tagged, lines), 'proceed');
      },
    },
  },
  {
    section: '4.3.2',
    level: 'MUST NOT',
    says: 'evaluate conditions that are for the origin alone (If-Match, If-Unmodified-Since), or that meet no stored 2xx',
    cases: {
      'they have no influence': () => {
        assert.equal(conditions(tagged, ['If-Match: "x"']), 'proceed');
        assert.equal(conditions(tagged, [`If-Unmodified-Since: ${dateAfter(-9999)}`]), 'proceed');
      },
      'a stored 404 is no 304': () => {
        const stored = storedResponse([...fresh, 'ETag: "a"'], { status: 404 });
        assert.equal(conditions(stored, ['If-None-Match: "a"']), 'proceed');
      },
    },
    shownBy: ['passes requests with If-Match or If-Unmodified-Since on'],
  },
  {
    section: '4.3.2',
    level: 'MUST',
    says: 'answer 200 when the upstream says 304 for an entity tag that the client did not send',
    shownBy: ['answers 200 when what was validated is not what the client has'],
  },
  {
    section: '4.3.2',
    level: 'ought',
    says: 'evaluate If-Range against the stored response',
    shownBy: ['obeys If-Range against the stored response'],
  },
  {
    section: '4.3.3',
    level: 'MUST',
    says: 'answer with a full response that comes in the place of a 304',
    shownBy: ['takes a full response in the place of the stored one'],
  },
  {
    section: '4.3.3',
    level: 'MAY',
    says: 'answer with the stored response when validation meets a 5xx, as far as it may be stale',
    cases: {
      'until its time of grace is over': () => {
        const reuse = reuseAfter(70, ['Cache-Control: max-age=60, stale-if-error=30', 'ETag: "a"']);
        assert.deepEqual([reuse.verdict, reuse.onErrorUntil], ['revalidate', noon + 90_000]);
      },
    },
    shownBy: ['answers with a stale response when the upstream fails, while it may'],
  },
  {
    section: '4.3.4',
    level: 'MUST NOT',
    says: 'update any stored response by a 304 with a strong validator that none has',
    cases: {
      'another tag, or the same one weak': () => {
        assert.equal(notModified(tagged, ['ETag: "b"']).kind, 'mismatch');
        assert.equal(notModified(storedResponse([...fresh, 'ETag: W/"a"']), ['ETag: "a"']).kind, 'mismatch');
        assert.equal(
          notModified(storedResponse([...fresh, `Last-Modified: ${dateAfter(-9)}`]), ['ETag: "b"']).kind,
          'mismatch',
        );
      },
      'of several, all that have it': () => {
        const stored = [tagged, storedResponse([...fresh, 'ETag: "b"']), { ...tagged, variant: 'x' }];
        assert.deepEqual(selectFreshened(stored, fieldsFrom(['ETag: "a"']), 0), [stored[0], stored[2]]);
        assert.deepEqual(selectFreshened(stored, fieldsFrom(['ETag: "c"']), 0), []);
      },
    },
    shownBy: ['asks again without conditions when a 304 speaks of another response'],
  },
  {
    section: '4.3.4',
    level: 'MUST',
    says: 'update the newest of the stored responses that a weak validator matches',
    cases: {
      'by Date': () => {
        const older = storedResponse([...fresh, 'ETag: W/"a"', `Date: ${dateAfter(-9)}`]);
        const newer = storedResponse([...fresh, 'ETag: W/"a"', `Date: ${dateAfter(-8)}`]);
        assert.deepEqual(selectFreshened([older, newer], fieldsFrom(['ETag: W/"a"']), 0), [newer]);
      },
    },
  },
  {
    section: '4.3.4',
    level: 'MAY',
    says: 'without any validator, update the only stored response: it alone was asked about',
    cases: {
      'a 304 that says nothing': () => assert.equal(notModified(tagged, []).kind, 'renewed'),
      'a Last-Modified that differs is of another one': () => {
        const stored = storedResponse([...fresh, `Last-Modified: ${dateAfter(-9)}`]);
        assert.equal(notModified(stored, [`Last-Modified: ${dateAfter(-9)}`]).kind, 'renewed');
        assert.equal(notModified(stored, [`Last-Modified: ${dateAfter(-8)}`]).kind, 'mismatch');
      },
    },
  },
  {
    section: '4.3.4',
    level: 'MUST',
    says: 'put the fields of a 304 in the place of the stored ones',
    cases: {
      'all lines of a name, new ones added, the others left': () => {
        const stored = storedResponse([...fresh, 'X-A: 1', 'ETag: "a"', 'x-a: 2', 'X-B: 3', 'Content-Type: text/html']);
        const lines = ['ETag: "a"', 'X-A: 4', 'X-C: 5', 'Content-Type: text/plain', 'Cache-Control: max-age=5'];
        const expected = ['200 Some reason', 'X-B: 3', ...lines];
        assert.deepEqual(renewedLines(stored, lines), expected);
      },
      'lifetime, age and validators follow': () => {
        const renewal = notModified(tagged, ['Cache-Control: max-age=5', 'Age: 2', 'ETag: "a"']);
        assert.equal(renewal.kind, 'renewed');
        const { lifetime, initialAge, responseTime, etag } = renewal.kind === 'renewed' ? renewal.response : tagged;
        assert.deepEqual([lifetime, initialAge, responseTime, etag], [5000, 2000, noon + 10_000, '"a"']);
      },
      'what now must not be kept answers once more': () => {
        for (const line of ['no-store', 'private', 'private, max-age=9']) {
          assert.equal(notModified(tagged, [`Cache-Control: ${line}`]).kind, 'forbidden', line);
        }
        assert.equal(notModified(tagged, ['Vary: *']).kind, 'forbidden');
        assert.equal(notModified(tagged, ['Vary: Cookie']).kind, 'forbidden');
      },
    },
    shownBy: ['renews a stored response by a 304 and stores its new fields'],
  },
  {
    section: '3.2',
    level: 'MUST',
    says: 'put the fields of any response that updates a stored one in the place of those of their names, but for those excepted',
    cases: {
      'of a 304 and of the answer to HEAD': () => {
        const lines = ['ETag: "a"', 'Cache-Control: max-age=7', 'X-New: 1'];
        assert.deepEqual(renewedLines(tagged, lines).slice(1), lines);
        const renewal = headed(tagged, lines);
        assert.deepEqual(renewal.kind === 'renewed' && storedLines(renewal.response).slice(1), lines);
      },
    },
  },
  {
    section: '3.2',
    level: 'MUST NOT',
    says: 'update Content-Encoding, Content-Length, Content-Range and the fields of the connection',
    cases: {
      'they stay as they were': () => {
        const stored = storedResponse([...fresh, 'ETag: "a"', 'Content-Encoding: br']);
        const lines = [
          'Content-Encoding: gzip',
          'Content-Length: 0',
          'Content-Range: bytes 0-1/2',
          'Proxy-Authenticate: x',
        ];
        assert.deepEqual(renewedLines(stored, [...lines, 'Transfer-Encoding: chunked']), storedLines(stored));
      },
      'nor what the 304 itself withholds, nor Set-Cookie': () => {
        const lines = ['Cache-Control: max-age=60, private="X-User"', 'X-User: 1', 'Set-Cookie: a=b'];
        assert.deepEqual(renewedLines(tagged, lines), ['200 Some reason', 'ETag: "a"', lines[0]]);
      },
    },
  },
  {
    section: '4.3.5',
    level: 'SHOULD',
    says: 'update the stored response by a 200 to HEAD with the same validators and length, else take it for stale',
    cases: {
      'the same': () => assert.equal(headed(tagged, ['ETag: "a"', ...fresh], 5).kind, 'renewed'),
      'another length, tag or date': () => {
        assert.equal(headed(tagged, ['ETag: "a"'], 6).kind, 'mismatch');
        assert.equal(headed(tagged, ['ETag: "b"']).kind, 'mismatch');
        assert.equal(headed(tagged, ['ETag: "a"', `Last-Modified: ${dateAfter(0)}`]).kind, 'mismatch');
      },
      'more careful: without any validator it says nothing about the body': () => {
        assert.equal(headed(tagged, fresh, 5).kind, 'mismatch');
      },
    },
    shownBy: ['renews or marks stale a stored response by the answer to HEAD'],
  },
  {
    section: '4.3.5',
    level: 'MUST',
    says: 'update by the fields of that HEAD as by those of a 304',
    cases: {
      'with the same exceptions': () => {
        const renewal = headed(tagged, ['ETag: "a"', 'X-A: 1', 'Content-Encoding: gzip']);
        if (renewal.kind !== 'renewed') assert.fail(renewal.kind);
        assert.deepEqual(storedLines(renewal.response).slice(1), [...fresh, 'ETag: "a"', 'X-A: 1']);
      },
    },
  },
];

const url = 'http://example.org/a?b';

function invalidated(method: string, status: number, lines: readonly string[] = []): string[] {
  return invalidatedBy(method, status, url, fieldsFrom(lines));
}

/** RFC 9111 section 4.4: invalidation. */
export const section4Invalidation: readonly Statement[] = [
  {
    section: '4.4',
    level: 'MUST',
    says: 'invalidate the target when an unsafe method, or one unknown, is answered without an error',
    cases: {
      methods: () => {
        for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'MKCOL', 'post']) {
          assert.deepEqual(invalidated(method, 204), [url], method);
        }
        for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE']) assert.deepEqual(invalidated(method, 200), []);
      },
      statuses: () => {
        for (const status of [200, 201, 303, 399]) assert.deepEqual(invalidated('POST', status), [url]);
        for (const status of [400, 404, 500, 503]) assert.deepEqual(invalidated('POST', status), []);
      },
    },
    shownBy: ['passes unsafe requests on and drops what is stored for their target'],
  },
  {
    section: '4.4',
    level: 'MAY',
    says: 'invalidate what Location and Content-Location name',
    cases: {
      'relative and absolute': () => {
        const lines = ['Location: /c', 'Content-Location: http://EXAMPLE.org:80/d?e#f'];
        assert.deepEqual(invalidated('POST', 201, lines), [url, 'http://example.org/c', 'http://example.org/d?e']);
      },
    },
    shownBy: ['drops what Location and Content-Location name after an unsafe request'],
  },
  {
    section: '4.4',
    level: 'MUST NOT',
    says: 'invalidate what belongs to another origin',
    cases: {
      'host, port, scheme': () => {
        for (const other of [
          'http://example.net/a',
          '//example.net/a',
          'http://example.org:81/a',
          'https://example.org/a',
        ]) {
          assert.deepEqual(invalidated('POST', 201, [`Location: ${other}`]), [url], other);
        }
      },
      'what is no URL': () =>
        assert.deepEqual(invalidated('POST', 201, ['Location: http://[', 'Content-Location: data:,x']), [url]),
    },
  },
];
