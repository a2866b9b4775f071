import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isMethod, isOriginForm, readFraming } from '../../../src/listener/framing.ts';
import { HostNames } from '../../../src/listener/host-names.ts';

const host = ['host', 'Example.COM:80'];

describe('the framing of a request', () => {
  test('without length or coding has no body', () => {
    assert.deepEqual(readFraming([...host, 'accept', '*/*', 'connection', 'keep-alive'], new HostNames()), {
      length: 0,
      close: false,
      unknownExpectation: false,
      upgrade: false,
      host: 'example.com:80',
    });
  });

  for (const [name, entries, expected] of [
    ['a length', ['content-length', '12'], { length: 12 }],
    ['the largest length', ['content-length', '999999999999999'], { length: 999_999_999_999_999 }],
    ['chunked, whatever its case', ['transfer-encoding', 'Chunked'], { length: undefined }],
    ['close', ['connection', 'close'], { close: true }],
    ['close among others', ['connection', 'TE, Close'], { close: true }],
    ['an option that only contains close', ['connection', 'closed'], { close: false }],
    ['100-continue, whatever its case', ['expect', '100-Continue'], { unknownExpectation: false }],
    ['another expectation', ['expect', '100-continue, x'], { unknownExpectation: true }],
    ['an upgrade', ['upgrade', 'websocket, h2c, IRC/6.9'], { length: 0, upgrade: true }],
  ] as const) {
    test(`with ${name} is read`, () => {
      const framing = readFraming([...host, ...entries], new HostNames());
      assert.ok(typeof framing === 'object', JSON.stringify(framing));
      assert.deepEqual({ ...framing, ...expected }, framing);
    });
  }

  for (const [name, entries] of [
    ['a length of sixteen digits', ['content-length', '1000000000000000']],
    ['a length with a sign', ['content-length', '+1']],
    ['no length', ['content-length', '']],
    ['two lengths', ['content-length', '1', 'content-length', '1']],
    ['two codings', ['transfer-encoding', 'chunked', 'transfer-encoding', 'chunked']],
    ['a coding before chunked', ['transfer-encoding', 'gzip, chunked']],
    ['an empty coding', ['transfer-encoding', '']],
    ['length and coding', ['content-length', '1', 'transfer-encoding', 'chunked']],
    ['two hosts', ['host', 'b']],
    ['an empty upgrade', ['upgrade', '']],
  ] as const) {
    test(`with ${name} is refused with a reason`, () => {
      assert.equal(typeof readFraming([...host, ...entries], new HostNames()), 'string');
    });
  }

  test('without a host is refused', () => {
    assert.equal(typeof readFraming(['accept', '*/*'], new HostNames()), 'string');
    assert.equal(typeof readFraming(['host', ''], new HostNames()), 'string');
  });

  test('never has a length that is not the number of decimal digits given', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (text) => {
        const framing = readFraming([...host, 'content-length', text], new HostNames());
        if (typeof framing === 'string') return;
        assert.match(text, /^[0-9]{1,15}$/);
        assert.equal(framing.length, Number(text));
      }),
    );
  });
});

test('a method is a token', () => {
  for (const method of ['GET', 'get', 'M-SEARCH', '!#$%&’'.slice(0, 5)]) assert.ok(isMethod(method), method);
  for (const method of ['', 'G T', 'G@T(/', 'GET:', 'é', 'G\0']) assert.ok(!isMethod(method), method);
});

test('a target is in origin-form, of visible ASCII without a fragment', () => {
  for (const target of ['/', '/a?b', '//x', '/"<>\\^`{|}~', '/%zz']) assert.ok(isOriginForm(target), target);
  for (const target of ['', '*', 'a', 'http://h/', '/#', '/ ', '/\t', '/é', '/\x7f', '/\0']) {
    assert.ok(!isOriginForm(target), target);
  }
});
