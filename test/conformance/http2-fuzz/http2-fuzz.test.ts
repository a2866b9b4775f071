import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Flag, FrameType, frame, preface, settingsFrame } from '../../../src/http2/frame.ts';
import { getFields, headerBlock } from '../../support/raw-http2-client.ts';
import { fuzzHttp2 } from './http2-fuzz.ts';
import { readHttp2 } from './reference-reader.ts';

/* A short form of `npm run fuzz -- --http2`; the seed is in the message of what fails. */

const connections = 1000;

describe('connections of HTTP/2 that are fuzzed', () => {
  test('reach the application as a reference reads them, or not at all, and harm nobody else', async () => {
    const seed = Date.now() % 1_000_000_000;
    const { differences, verdicts, others } = await fuzzHttp2(connections, seed);
    assert.deepEqual(differences, [], `npm run fuzz -- --http2 --seed ${seed} --requests ${connections}`);
    assert.ok(others > 0);
    // A generator of nothing but rubbish, or a reference that takes nothing, would find no difference either.
    for (const verdict of ['only whole requests, then nothing', 'also whole requests, then a fault']) {
      assert.ok((verdicts[verdict] ?? 0) > connections / 30, JSON.stringify(verdicts));
    }
    assert.ok((verdicts['ended as a flood'] ?? 0) < connections / 30, JSON.stringify(verdicts));
  });
});

describe('the reference', () => {
  const head = headerBlock(getFields('/a', ['x', 'y']));
  const post = headerBlock(getFields('/p', ['content-length', '5']));
  const { headers, data, continuation } = FrameType;
  const hello = frame(data, Flag.endStream, 1, Buffer.from('hello'));
  const read = (...frames: readonly Buffer[]) => readHttp2(Buffer.concat([preface, settingsFrame([]), ...frames]));

  test('reads a request whole, also from pieces', () => {
    const pieces = [
      frame(headers, 0, 1, post.subarray(0, 3)),
      frame(continuation, 0, 1, post.subarray(3, 9)),
      frame(continuation, Flag.endHeaders, 1, post.subarray(9)),
      hello,
    ];
    const stream = read(...pieces).streams.get(1);
    assert.deepEqual(
      [stream?.state, stream?.request?.method, stream?.request?.target, stream?.request?.body],
      ['whole', 'GET', '/p', 'hello'],
    );
    for (let count = 0; count < pieces.length; count++) {
      assert.notEqual(read(...pieces.slice(0, count)).streams.get(1)?.state, 'whole');
    }
  });

  test('refuses what is no request, and what has another length than it says', () => {
    const endsAtOnce = Flag.endHeaders | Flag.endStream;
    const state = (...frames: readonly Buffer[]) => read(...frames).streams.get(1)?.state;
    assert.equal(state(frame(headers, endsAtOnce, 1, head)), 'whole');
    assert.equal(state(frame(headers, endsAtOnce, 1, post)), 'refused');
    assert.equal(state(frame(headers, endsAtOnce, 1, headerBlock(getFields('/a b')))), 'refused');
    assert.equal(state(frame(headers, Flag.endHeaders, 1, post), hello), 'whole');
    assert.equal(state(frame(headers, Flag.endHeaders, 1, post), frame(data, 1, 1, Buffer.from('hell'))), 'refused');
  });

  test('knows faults of a connection', () => {
    assert.match(read(frame(headers, 0, 1, head), frame(data, 0, 1, head)).fault ?? '', /within/);
    assert.match(read(frame(headers, Flag.endHeaders, 1, Buffer.from('be', 'hex'))).fault ?? '', /compression/);
    assert.match(read(frame(data, 0, 1, head)).fault ?? '', /DATA/);
    assert.equal(read(frame(0x63, 0, 0, head)).fault, undefined);
  });
});
