import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ErrorCode, frame, maxFrameBytes, preface, settingsFrame } from '../../../src/http2/frame.ts';
import { ConnectionFault, Http2FrameReader } from '../../../src/listener/http2-frame-reader.ts';

type Read = [type: number, flags: number, stream: number, payload: string];

/** Gives bytes to a reader in pieces. @returns the frames it made of them, and the code of the fault that ended it */
function read(bytes: Buffer, cuts: readonly number[] = []): { frames: Read[]; fault: number | undefined } {
  const frames: Read[] = [];
  const reader = new Http2FrameReader({
    reading: true,
    frame: (type, flags, stream, payload) => void frames.push([type, flags, stream, payload.toString('latin1')]),
  });
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((one, other) => one - other);
  let from = 0;
  try {
    for (const to of ends) {
      reader.read(Buffer.from(bytes.subarray(from, to)));
      from = to;
    }
  } catch (error) {
    // Anything else is a mistake of the reader's.
    if (!(error instanceof ConnectionFault)) throw error;
    return { frames, fault: error.code };
  }
  return { frames, fault: undefined };
}

const payload = fc.uint8Array({ maxLength: 100 });
const anyFrame = fc.tuple(fc.nat({ max: 255 }), fc.nat({ max: 255 }), fc.nat({ max: 0x7fffffff }), payload);
const cuts = fc.array(fc.nat(), { maxLength: 20 });
const begin = Buffer.concat([preface, settingsFrame([])]);

describe('the reader of HTTP/2 frames', () => {
  test('gives the frames that were written, wherever they are cut', () => {
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 12 }), cuts, (written, places) => {
        const bytes = Buffer.concat([begin, ...written.map((one) => frame(...one))]);
        const { frames, fault } = read(bytes, places);
        assert.equal(fault, undefined);
        assert.deepEqual(
          frames.slice(1),
          written.map(([type, flags, stream, its]) => [type, flags, stream, Buffer.from(its).toString('latin1')]),
        );
      }),
    );
  });

  test('makes the same of arbitrary bytes wherever they are cut, and throws nothing but a fault of the connection', () => {
    const bytes = fc.uint8Array({ maxLength: 400 });
    // Lengths that are not too large, so that there is something behind the first frame.
    const small = bytes.map((all) => all.map((byte, at) => (at % 16 < 2 ? 0 : byte)));
    const start = fc.constantFrom(begin, preface, Buffer.alloc(0), preface.subarray(0, 10));
    fc.assert(
      fc.property(start, fc.oneof(bytes, small), cuts, (front, rest, places) => {
        const all = Buffer.concat([front, rest]);
        assert.deepEqual(read(all, places), read(all));
      }),
      { numRuns: 2000 },
    );
  });

  test('keeps no frame larger than announced: it ends with the head of one', () => {
    const head = Buffer.from([0, 0x40, 1, 0, 0, 0, 0, 0, 1]);
    assert.deepEqual(read(Buffer.concat([begin, head])).fault, ErrorCode.frameSizeError);
    assert.equal(read(Buffer.concat([begin, frame(0, 0, 1, Buffer.alloc(maxFrameBytes))])).frames.length, 2);
  });

  test('wants SETTINGS behind the preface, and the preface before anything', () => {
    assert.equal(read(Buffer.concat([preface, frame(6, 0, 0, Buffer.alloc(8))])).fault, ErrorCode.protocolError);
    assert.equal(read(Buffer.from('GET / HTTP/1.1\r\n')).fault, ErrorCode.protocolError);
    for (let length = 0; length <= preface.length; length++) {
      assert.deepEqual(read(preface.subarray(0, length)), { frames: [], fault: undefined });
    }
  });
});
