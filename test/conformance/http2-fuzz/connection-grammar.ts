import fc from 'fast-check';
import { Flag, FrameType, frame, frameHeaderBytes, preface, settingsFrame } from '../../../src/http2/frame.ts';
import { HpackBlocks } from '../../support/hpack-blocks.ts';
import { type FuzzedRequest, frameBetween, fuzzedRequest, mostly } from './frame-grammar.ts';

/** What a client sends on one connection. */
export interface FuzzedHttp2 {
  readonly bytes: Buffer;
  /** Where it is cut into writes, as parts of its length. */
  readonly cuts: readonly number[];
  readonly frames: number;
}

type Mutation = (frames: readonly Buffer[], place: number, value: number) => Buffer[];

const changed = (frames: readonly Buffer[], place: number, change: (copy: Buffer) => void): Buffer[] =>
  frames.map((one, at) => {
    if (at !== place) return one;
    const copy = Buffer.from(one);
    change(copy);
    return copy;
  });

const mutations: readonly Mutation[] = [
  (frames, place) => frames.toSpliced(place, 1),
  (frames, place, value) => frames.toSpliced(value % frames.length, 0, frames[place] as Buffer),
  (frames, place, value) => frames.with(place, frames[value % frames.length] as Buffer),
  (frames, place, value) => changed(frames, place, (copy) => (copy[3] = value % 11)),
  (frames, place, value) => changed(frames, place, (copy) => (copy[4] = (copy[4] ?? 0) ^ (1 << (value % 8)))),
  (frames, place, value) => changed(frames, place, (copy) => copy.writeUInt32BE(value % 14, 5)),
  (frames, place, value) => changed(frames, place, (copy) => copy.writeUInt32BE(value >>> 0, 5)),
  // Longer or shorter than it says: what follows is read differently.
  (frames, place, value) => changed(frames, place, (copy) => copy.writeUIntBE(value % 40, 0, 3)),
  (frames, place, value) => changed(frames, place, (copy) => copy.writeUIntBE(value % 0x1000000, 0, 3)),
  (frames, place, value) => frames.with(place, (frames[place] as Buffer).subarray(0, value % 20)),
  // A payload cut short, in a frame that says so.
  (frames, place, value) => {
    const one = frames[place] as Buffer;
    const [type = 0, flags = 0] = one.subarray(3, 5);
    const payload = one.subarray(frameHeaderBytes, frameHeaderBytes + (value % 12));
    return frames.with(place, frame(type, flags, one.length < 9 ? 0 : one.readUInt32BE(5), payload));
  },
  ...Array.from(
    { length: 3 },
    (): Mutation => (frames, place, value) =>
      changed(frames, place, (copy) => {
        copy[value % copy.length] = value >>> 8;
      }),
  ),
];

const mutation = fc.tuple(fc.constantFrom(...mutations), fc.nat(), fc.nat());
const picks = fc.array(fc.nat({ max: 1000 }), { minLength: 1, maxLength: 30 });

/** Requests in frames, with other frames between them; some of it changed, so that the rules are broken. */
export const fuzzedHttp2: fc.Arbitrary<FuzzedHttp2> = fc
  .tuple(
    fc.array(fuzzedRequest, { minLength: 1, maxLength: 5 }),
    fc.oneof(fc.constant([]), fc.array(frameBetween, { maxLength: 6 })),
    picks,
    mostly(fc.array(mutation, { maxLength: 2 }), fc.array(mutation, { maxLength: 6 }), 10),
    fc.oneof(fc.constant([]), fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 })),
  )
  .map(([requests, between, order, changes, cuts]) => {
    let frames: Buffer[] = [settingsFrame([]), ...interleaved(requests, between, order)];
    for (const [mutate, place, value] of changes) {
      if (frames.length > 0 && (frames[place % frames.length] as Buffer).length >= frameHeaderBytes)
        frames = mutate(frames, place % frames.length, value);
    }
    return { bytes: Buffer.concat([preface, ...frames]), cuts: cuts.toSorted((a, b) => a - b), frames: frames.length };
  });

/** Requests begin one after the other; their bodies, and the frames between, come as it is picked. */
function interleaved(
  requests: readonly FuzzedRequest[],
  between: readonly Buffer[],
  picked: readonly number[],
): Buffer[] {
  const hpack = new HpackBlocks();
  const frames: Buffer[] = [];
  const bodies: (() => Buffer[])[][] = [];
  const others = [...between];
  let begun = 0;
  for (let step = 0; ; step++) {
    const choices: (() => void)[] = bodies
      .filter((body) => body.length > 0)
      .map((body) => () => frames.push(...(body.shift()?.() ?? [])));
    if (others.length > 0) choices.push(() => frames.push(others.shift() as Buffer));
    const next = requests[begun];
    if (next !== undefined) {
      choices.push(() => {
        const id = 2 * begun++ + 1;
        frames.push(...headFrames(hpack, next, id));
        bodies.push(bodyFrames(hpack, next, id));
      });
    }
    const choice = choices[(picked[step % picked.length] as number) % choices.length];
    if (choice === undefined) return frames;
    choice();
  }
}

function headFrames(hpack: HpackBlocks, request: FuzzedRequest, id: number): Buffer[] {
  const resize = request.resize === undefined ? [] : [hpack.resize(request.resize)];
  const size = request.body.reduce((sum, { bytes }) => sum + bytes, 0);
  const length = request.length === 'right' ? size : size + 1;
  const fields = request.fields.map(({ name, value, how, huffman }) => hpack.field(name, value, how, huffman));
  const says = request.length !== 'unsaid' && (request.body.length > 0 || request.length === 'wrong');
  if (says) fields.push(hpack.field('content-length', String(length), 'incremental', true));
  const block = Buffer.concat([...resize, ...fields]);
  const cuts = request.cuts.map((cut) => Math.round(cut * block.length)).toSorted((a, b) => a - b);
  const pieces = [0, ...cuts].map((from, at) => block.subarray(from, cuts[at] ?? block.length));
  const priority = request.priority ? Buffer.from([0x80, 0, 0, 0, 16]) : Buffer.alloc(0);
  const flags =
    (request.body.length === 0 ? Flag.endStream : 0) |
    (request.priority ? Flag.priority : 0) |
    (pieces.length === 1 ? Flag.endHeaders : 0);
  const first = Buffer.concat([priority, pieces[0] as Buffer]);
  const rest = pieces.slice(1);
  return [
    paddedFrame(FrameType.headers, flags, id, first, request.padding),
    ...rest.map((piece, at) => frame(FrameType.continuation, at === rest.length - 1 ? Flag.endHeaders : 0, id, piece)),
  ];
}

function bodyFrames(hpack: HpackBlocks, { body, end }: FuzzedRequest, id: number): (() => Buffer[])[] {
  const frames = body.map(({ bytes, padding }, at) => {
    const last = at === body.length - 1 && end === 'data';
    return () => [paddedFrame(FrameType.data, last ? Flag.endStream : 0, id, Buffer.alloc(bytes, `${id}`), padding)];
  });
  if (body.length === 0 || end !== 'trailers') return frames;
  const flags = Flag.endHeaders | Flag.endStream;
  return [...frames, () => [frame(FrameType.headers, flags, id, hpack.field('x-trailer', 't', 'incremental', true))]];
}

function paddedFrame(type: number, flags: number, id: number, payload: Buffer, padding: number | undefined): Buffer {
  if (padding === undefined) return frame(type, flags, id, payload);
  return frame(type, flags | Flag.padded, id, Buffer.concat([Buffer.from([padding]), payload, Buffer.alloc(padding)]));
}
