import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DirectedExchange } from '../../../src/response/directed-exchange.ts';
import { directedFields } from '../../../src/response/directed-fields.ts';
import { type ResponseHead, responseHead } from '../../../src/response/response-head.ts';
import { FakeExchange } from '../../support/fake-exchange.ts';

const application = responseHead(200, [
  ['content-type', 'text/x-own'],
  ['Expires', 'Thu, 01 Jan 1970 00:00:00 GMT'],
  ['SET-COOKIE', 'a=1'],
  ['Content-Disposition', 'attachment'],
  ['Last-Modified', 'never'],
]);

/** Lines of the head that a client gets when something answers with that one in the application's place. */
function merged(head: ResponseHead): string[] {
  const inner = new FakeExchange();
  new DirectedExchange(inner, inner.head, directedFields(application.block)).respond(head, Buffer.alloc(0));
  return inner.responseBlock.split('\r\n').slice(1).toSorted();
}

test('what the application says takes the place of what the answer says', () => {
  const answer = responseHead(200, [
    ['Content-Type', 'text/plain'],
    ['Cache-Control', 'max-age=9'],
    ['Last-Modified', 'now'],
    ['Set-Cookie', 'b=2'],
  ]);
  assert.deepEqual(merged(answer), [
    'Content-Disposition: attachment',
    'Content-Type: text/x-own',
    'Expires: Thu, 01 Jan 1970 00:00:00 GMT',
    'Last-Modified: now',
    'SET-COOKIE: a=1',
    'Set-Cookie: b=2',
  ]);
});

test('an error keeps what it says itself, and the cookies', () => {
  const answer = responseHead(404, [
    ['Content-Type', 'text/html'],
    ['Cache-Control', 'no-store'],
  ]);
  assert.deepEqual(merged(answer), ['Cache-Control: no-store', 'Content-Type: text/html', 'SET-COOKIE: a=1']);
});

test('a response without a body gets no type, and several parts keep their boundary', () => {
  assert.ok(!merged(responseHead(304, [])).some((line) => /^content-type/i.test(line)));
  const parts = merged(responseHead(206, [['Content-Type', 'multipart/byteranges; boundary=Q']]));
  assert.ok(parts.includes('Content-Type: multipart/byteranges; boundary=Q'));
});

test('what the application leaves out, or leaves empty, is up to the answer', () => {
  const { contentType, names, lines, cookies } = directedFields(responseHead(200, [['Content-Type', '']]).block);
  assert.equal(contentType, undefined);
  assert.deepEqual([names.length, lines.length, cookies.length], [0, 0, 0]);
});
