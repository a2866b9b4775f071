import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type FuzzedEngine, fuzzRequests } from './request-fuzz.ts';
import { readStrictly } from './strict-request.ts';

process.env['UWS_HTTP_MAX_HEADERS_SIZE'] = String(32 * 1024);

/* A short form of `npm run fuzz`; the seed is in the message of what fails. */

const connections = 2000;

describe('requests that are fuzzed', () => {
  for (const engine of ['node', 'uws'] as const satisfies readonly FuzzedEngine[]) {
    test(`reach the application through the engine ${engine} as a strict parser reads them, or not at all`, async () => {
      const seed = Date.now() % 1_000_000_000;
      const { differences, verdicts } = await fuzzRequests(engine, connections, seed);
      assert.deepEqual(differences, [], `npm run fuzz -- --engine ${engine} --seed ${seed} --requests ${connections}`);
      // A generator of nothing but rubbish, or a parser that takes nothing, would find no difference either.
      assert.ok((verdicts['1 accepted, then nothing'] ?? 0) > connections / 10, JSON.stringify(verdicts));
      assert.ok((verdicts['0 accepted, then refused'] ?? 0) > connections / 10, JSON.stringify(verdicts));
    });
  }
});

describe('the strict parser', () => {
  const whole = 'POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nT: 1\r\n\r\n';

  test('reads a request whole', () => {
    const { requests, rest } = readStrictly(whole + whole);
    assert.deepEqual([requests.length, requests[1]?.method, requests[1]?.body, rest], [2, 'POST', 'hello', 'nothing']);
  });

  test('waits for every part of it', () => {
    for (let length = 1; length < whole.length; length++) {
      const { requests, rest } = readStrictly(whole.slice(0, length));
      assert.deepEqual([requests.length, rest], [0, 'incomplete'], JSON.stringify(whole.slice(0, length)));
    }
  });

  for (const [from, to] of [
    ['\r\nHost', '\nHost'],
    ['Host: h', 'Host : h'],
    ['Host: h', 'Host: h\r\nHost: h'],
    ['Host: h', 'Host: h\r\nContent-Length: 5'],
    ['Host: h', 'Host: h\x7f'],
    ['chunked', 'identity'],
    ['5;x=y', '5 ;x=y'],
    ['hello\r\n', 'helloXX'],
    ['POST /a', 'POST a'],
    ['POST /a', 'POST  /a'],
    ['T: 1', 'T 1'],
  ] as const) {
    test(`refuses ${JSON.stringify(to)} for ${JSON.stringify(from)}`, () => {
      assert.equal(readStrictly(whole.replace(from, to)).rest, 'refused');
    });
  }
});
