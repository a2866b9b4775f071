import fc from 'fast-check';
import { Flag, FrameType, frame, numberFrame } from '../../../src/http2/frame.ts';
import type { Representation } from '../../support/hpack-blocks.ts';

/** A field, and how it is written. */
export interface FuzzedField {
  readonly name: string;
  readonly value: string;
  readonly how: Representation;
  readonly huffman: boolean;
}

/** A request, and how it is put into frames. */
export interface FuzzedRequest {
  readonly fields: readonly FuzzedField[];
  /** The size of the table, said anew in front of the block. */
  readonly resize: number | undefined;
  /** Where the block is cut into frames, as parts of its length. */
  readonly cuts: readonly number[];
  readonly padding: number | undefined;
  readonly priority: boolean;
  /** Pieces of body; none: the head ends the stream. */
  readonly body: readonly { readonly bytes: number; readonly padding: number | undefined }[];
  readonly length: 'right' | 'wrong' | 'unsaid';
  readonly end: 'data' | 'trailers' | 'never';
}

/** The usual one most of the time, so that whole requests come of it. */
export function mostly<T>(usual: fc.Arbitrary<T>, strange: fc.Arbitrary<T>, weight = 30): fc.Arbitrary<T> {
  return fc.oneof({ arbitrary: usual, weight }, { arbitrary: strange, weight: 1 });
}

const text = (...choices: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...choices);
const byte = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
const value = fc.array(byte, { maxLength: 12 }).map((all) => all.join(''));
const word = fc.stringMatching(/^[a-z0-9-]{1,8}$/);

const method = mostly(
  text('GET', 'GET', 'POST', 'PUT', 'HEAD', 'DELETE'),
  fc.oneof(text('get', '', 'CONNECT', 'G T'), value),
);
const path = mostly(
  fc.oneof(word, text('', 'a?b=c', '%41', 'a/../b', 'a%20b')).map((end) => `/${end}`),
  fc.oneof(text('*', '', 'x', '/%', '/..', '/a#b', '/a b', '/\r\nX: y', 'https://fuzz.test/'), value),
);
const authority = mostly(
  text('fuzz.test', 'FUZZ.test:443', 'other.test'),
  fc.oneof(text('', 'u@h', 'h/x', 'h:99999'), value),
);
const scheme = mostly(text('https'), fc.oneof(text('http', '', 'HTTPS'), value), 60);
const fieldName = mostly(
  fc.oneof(word, text('accept', 'cookie', 'cookie', 'user-agent', 'te', 'x-long', 'if-none-match')),
  fc.oneof(
    text(
      'Upper',
      '',
      'a b',
      'connection',
      'transfer-encoding',
      'host',
      ':path',
      ':status',
      ':x',
      'content-length',
      'a:b',
    ),
    value,
  ),
);
const fieldValue = mostly(
  fc.oneof(word, text('trailers', 'a, b', 'caf\xe9', '', '1', 'x'.repeat(300))),
  fc.oneof(text(' a', 'a\t', 'a\r\nb', 'a\0', '5, 5', 'chunked'), value),
);

const representation = fc.constantFrom<Representation>(
  'indexed',
  'indexed',
  'incremental',
  'incremental',
  'plain',
  'never',
);
const written = (names: fc.Arbitrary<string>, values: fc.Arbitrary<string>): fc.Arbitrary<FuzzedField> =>
  fc.record({ name: names, value: values, how: representation, huffman: fc.boolean() });
const pseudo = fc
  .tuple(
    written(fc.constant(':method'), method),
    written(fc.constant(':scheme'), scheme),
    written(fc.constant(':authority'), authority),
    written(fc.constant(':path'), path),
  )
  .chain((all) =>
    mostly<FuzzedField[]>(
      fc.constant([...all]),
      fc.oneof(fc.shuffledSubarray([...all]), fc.array(fc.constantFrom(...all), { minLength: 4, maxLength: 6 })),
      20,
    ),
  );
const padding = fc.option(fc.integer({ min: 0, max: 40 }), { nil: undefined, freq: 3 });
const bytes = mostly(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 16_000 }), 10);
const body = fc.oneof(
  { arbitrary: fc.constant([]), weight: 30 },
  { arbitrary: fc.array(fc.record({ bytes, padding }), { minLength: 1, maxLength: 4 }), weight: 20 },
  // Beyond the window of a stream.
  { arbitrary: fc.constant(Array.from({ length: 18 }, () => ({ bytes: 16_000, padding: undefined }))), weight: 1 },
);

export const fuzzedRequest: fc.Arbitrary<FuzzedRequest> = fc.record({
  fields: fc
    .tuple(pseudo, fc.array(written(fieldName, fieldValue), { maxLength: 5 }))
    .map(([front, rest]) => [...front, ...rest]),
  resize: fc.option(fc.constantFrom(0, 64, 4096), { nil: undefined, freq: 12 }),
  cuts: fc.oneof(fc.constant([]), fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 })),
  padding,
  priority: fc.boolean(),
  body,
  length: mostly(fc.constantFrom('right', 'unsaid'), fc.constant('wrong'), 15),
  end: mostly(fc.constantFrom('data', 'data', 'trailers'), fc.constant('never'), 15),
});

const id = fc.oneof(
  fc.constantFrom(0, 1, 3, 5),
  fc.integer({ min: 0, max: 12 }),
  fc.integer({ min: 0, max: 0xffffffff }),
);
const number = fc.oneof(fc.integer({ min: 1, max: 100_000 }), fc.constantFrom(0, 0x7fffffff, 0x80000000, 0xffffffff));
const random = fc.uint8Array({ maxLength: 40 }).map((all) => Buffer.from(all));
const setting = fc
  .tuple(fc.integer({ min: 0, max: 9 }), mostly(fc.constantFrom(0, 1, 65_535, 16_384, 1_000_000), number, 8))
  .map(([name, its]) => {
    const pair = Buffer.alloc(6);
    pair.writeUInt16BE(name, 0);
    pair.writeUInt32BE(its, 2);
    return pair;
  });
const settings = fc
  .array(setting, { maxLength: 4 })
  .map((pairs) => frame(FrameType.settings, 0, 0, Buffer.concat(pairs)));

/** Frames that may come at any time, most of them as they should be. */
export const frameBetween: fc.Arbitrary<Buffer> = fc.oneof(
  { arbitrary: settings, weight: 4 },
  { arbitrary: fc.constant(frame(FrameType.settings, Flag.ack, 0, Buffer.alloc(0))), weight: 2 },
  { arbitrary: fc.boolean().map((ack) => frame(FrameType.ping, ack ? Flag.ack : 0, 0, Buffer.alloc(8, 7))), weight: 4 },
  {
    arbitrary: fc.integer({ min: 1, max: 70_000 }).map((count) => numberFrame(FrameType.windowUpdate, 0, count)),
    weight: 4,
  },
  {
    arbitrary: fc.tuple(id, number).map(([stream, count]) => numberFrame(FrameType.windowUpdate, stream, count)),
    weight: 3,
  },
  {
    arbitrary: fc.integer({ min: 1, max: 9 }).map((stream) => frame(FrameType.priority, 0, stream, Buffer.alloc(5, 1))),
    weight: 3,
  },
  { arbitrary: fc.tuple(id, random).map(([stream, its]) => frame(0x63, 0xff, stream, its)), weight: 3 },
  {
    arbitrary: fc.constantFrom(1, 1, 3, 3, 5, 7, 0).map((stream) => numberFrame(FrameType.rstStream, stream, 8)),
    weight: 3,
  },
  { arbitrary: fc.constant(frame(FrameType.goaway, 0, 0, Buffer.alloc(8))), weight: 1 },
  {
    arbitrary: fc
      .tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 255 }), id, random)
      .map(([type, flags, stream, its]) => frame(type, flags, stream, its)),
    weight: 2,
  },
);
