import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { FieldNames } from '../../../src/listener/field-names.ts';
import {
  Http1HeadScanner,
  headIncomplete,
  headInvalid,
  headTooLarge,
  headVersionUnknown,
} from '../../../src/listener/http1-head-scanner.ts';

const names = new FieldNames();

interface Outcome {
  readonly verdict: number;
  readonly head: unknown;
}

/** Gives the bytes to a scanner in pieces that end at these positions, as a connection does. */
function scan(text: string, cuts: readonly number[] = []): Outcome {
  const bytes = Buffer.from(text, 'latin1');
  const scanner = new Http1HeadScanner(names);
  let pending = Buffer.alloc(0);
  let verdict = headIncomplete;
  const ends = [...new Set([...cuts.filter((cut) => cut < bytes.length), bytes.length])].toSorted((a, b) => a - b);
  let start = 0;
  let behind = 0;
  for (const end of ends) {
    pending = Buffer.concat([pending, bytes.subarray(start, end)]);
    start = end;
    verdict = scanner.scan(pending, 0, pending.length);
    if (verdict !== headIncomplete) break;
    behind += scanner.consumed;
    pending = pending.subarray(scanner.consumed);
  }
  const { method, target, minorVersion, entries } = scanner;
  return { verdict: verdict < 0 ? verdict : verdict + behind, head: { method, target, minorVersion, entries } };
}

const request =
  'GET /a?b HTTP/1.1\r\nHost: example.com\r\nX-Empty:\r\nAccept: \t text/html \t\r\nX-Bytes: caf\xe9\r\n\r\n';

describe('the scanner of request heads', () => {
  test('reads the request line and the fields, values without the blanks around them', () => {
    const { verdict, head } = scan(`${request}rest`);
    assert.equal(verdict, request.length);
    assert.deepEqual(head, {
      method: 'GET',
      target: '/a?b',
      minorVersion: 1,
      entries: ['host', 'example.com', 'x-empty', '', 'accept', 'text/html', 'x-bytes', 'caf\xe9'],
    });
  });

  test('reads the same however the bytes are split', () => {
    const whole = scan(request);
    fc.assert(
      fc.property(fc.array(fc.nat(request.length)), (cuts) => {
        assert.deepEqual(scan(request, cuts), whole);
      }),
    );
  });

  test('finds the same fault however the bytes are split', () => {
    const hostile = fc.constantFrom('\n', '\r', '\0', ' ', '\t', ':', '\x7f', '\x80', '(');
    fc.assert(
      fc.property(fc.nat(request.length - 1), hostile, fc.array(fc.nat(request.length)), (at, byte, cuts) => {
        const broken = request.slice(0, at) + byte + request.slice(at + 1);
        assert.deepEqual(scan(broken, cuts).verdict, scan(broken).verdict);
      }),
      { numRuns: 2000 },
    );
  });

  const wrong: Readonly<Record<string, readonly [string, number]>> = {
    'a line feed alone': ['GET / HTTP/1.1\nHost: a\n\n', headInvalid],
    'a carriage return alone': ['GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n', headInvalid],
    'a folded line': ['GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n', headInvalid],
    'a space before the colon': ['GET / HTTP/1.1\r\nHost : a\r\n\r\n', headInvalid],
    'a field without a name': ['GET / HTTP/1.1\r\n: a\r\n\r\n', headInvalid],
    'two spaces': ['GET  / HTTP/1.1\r\n\r\n', headInvalid],
    'a tab for a space': ['GET\t/ HTTP/1.1\r\n\r\n', headInvalid],
    'a later version': ['GET / HTTP/2.0\r\n\r\n', headVersionUnknown],
    'no version': ['GET /\r\n\r\n', headInvalid],
    'a NUL in a value': ['GET / HTTP/1.1\r\nHost: a\0\r\n\r\n', headInvalid],
    'too many fields': [`GET / HTTP/1.1\r\n${'A: b\r\n'.repeat(99)}\r\n`, headTooLarge],
  };
  for (const [what, [text, verdict]] of Object.entries(wrong)) {
    test(`refuses ${what}`, () => assert.equal(scan(text).verdict, verdict));
  }
});
