import { Flag, FrameType, frameHeaderBytes, maxFrameBytes, maxWindow, preface } from '../../../src/http2/frame.ts';
import type { StrictRequest } from '../request-fuzz/strict-request.ts';
import { type ReferenceField, ReferenceHpack } from './reference-hpack.ts';
import { requestOf } from './reference-request.ts';

/** What of a stream a server may take for a request. */
export interface ReferenceStream {
  /** Undefined as long as it is not whole, and when it is no request. */
  request: StrictRequest | undefined;
  /**
   * `begun`: its end has not come. `whole`: the application must see it. `refused`: it must not, and the client hears of it.
   * `doubtful`: something came for it that ends it when it is still at work, so that the application may see it or not.
   */
  state: 'begun' | 'whole' | 'refused' | 'doubtful';
  head: StrictRequest | undefined;
  body: Buffer[];
  received: number;
  window: number;
}

/** What becomes of everything that comes on a connection. */
export interface ReferenceReading {
  readonly streams: ReadonlyMap<number, ReferenceStream>;
  /** What is wrong, for which the connection ends; undefined when nothing is. */
  fault: string | undefined;
  /** The connection may end, which depends on what was answered already. */
  mayEnd: boolean;
  /** The client has said goodbye: the connection ends behind what it has asked for. */
  goodbye: boolean;
  /** A frame, a header block or the first SETTINGS were still to come. */
  incomplete: boolean;
}

/** The client has broken a rule of the connection. */
class Fault extends Error {}

const streamWindow = 256 * 1024;
const connectionWindow = 1024 * 1024;
const mostListBytes = 32 * 1024;

/**
 * Reads everything that a client sent on a connection, written from RFC 9113 without regard to speed or memory; what the
 * RFC leaves open is decided as Portico does.
 */
export function readHttp2(bytes: Buffer): ReferenceReading {
  const reader = new ReferenceReader();
  let position = preface.length;
  if (!bytes.subarray(0, position).equals(preface)) throw new Error('every connection that is fuzzed has the preface');
  try {
    while (bytes.length - position >= frameHeaderBytes) {
      const length = bytes.readUIntBE(position, 3);
      if (length > maxFrameBytes) throw new Fault('frame size');
      const start = position + frameHeaderBytes;
      if (bytes.length < start + length) break;
      const [type = 0, flags = 0] = bytes.subarray(position + 3, start);
      reader.frame(type, flags, bytes.readUInt32BE(position + 5) & maxWindow, bytes.subarray(start, start + length));
      position = start + length;
    }
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    reader.reading.fault = error.message;
  }
  reader.reading.incomplete = position < bytes.length || reader.inBlock || !reader.greeted;
  return reader.reading;
}

class ReferenceReader {
  readonly streams = new Map<number, ReferenceStream>();
  readonly reading: ReferenceReading = {
    streams: this.streams,
    fault: undefined,
    mayEnd: false,
    goodbye: false,
    incomplete: false,
  };
  readonly #hpack = new ReferenceHpack();
  #block: { id: number; ends: boolean; pieces: Buffer[] } | undefined;
  #frames = 0;
  #last = 0;
  #received = 0;
  #sendWindow = 65_535;
  #initialWindow = 65_535;

  get greeted(): boolean {
    return this.#frames > 0;
  }

  get inBlock(): boolean {
    return this.#block !== undefined;
  }

  frame(type: number, flags: number, id: number, payload: Buffer): void {
    if (this.#frames++ === 0 && type !== FrameType.settings) throw new Fault('no SETTINGS first');
    const block = this.#block;
    if (block !== undefined && (type !== FrameType.continuation || id !== block.id)) throw new Fault('within a block');
    if (type === FrameType.data) this.#data(flags, id, payload);
    else if (type === FrameType.headers) this.#headers(flags, id, payload);
    else if (type === FrameType.continuation) this.#continuation(flags, payload);
    else if (type === FrameType.rstStream) this.#reset(id, payload);
    else if (type === FrameType.settings) this.#settings(flags, id, payload);
    else if (type === FrameType.windowUpdate) this.#windowUpdate(id, payload);
    else if (type === FrameType.pushPromise) throw new Fault('PUSH_PROMISE');
    else if (type === FrameType.priority && (id === 0 || payload.length !== 5)) throw new Fault('PRIORITY');
    else if (type === FrameType.ping && (id !== 0 || payload.length !== 8)) throw new Fault('PING');
    else if (type === FrameType.goaway) {
      if (id !== 0 || payload.length < 8) throw new Fault('GOAWAY');
      this.reading.goodbye = true;
    }
  }

  #data(flags: number, id: number, payload: Buffer): void {
    if (id === 0 || id > this.#last) throw new Fault('DATA without a stream');
    this.#received += payload.length;
    if (this.#received > connectionWindow) this.reading.mayEnd = true;
    const stream = this.streams.get(id);
    if (stream?.state !== 'begun') {
      if (padded(flags, payload) === undefined) this.reading.mayEnd = true;
      if (stream?.state === 'whole') stream.state = 'doubtful';
      return;
    }
    const data = padded(flags, payload);
    if (data === undefined) return this.#paddingFault(stream);
    stream.received += payload.length;
    stream.body.push(data);
    if (stream.received > streamWindow) stream.state = 'doubtful';
    else if ((flags & Flag.endStream) !== 0) end(stream);
    else if (lengthOf(stream.body) > declaredLength(stream)) {
      stream.state = stream.request === undefined ? 'refused' : 'doubtful';
    }
  }

  #paddingFault(stream: ReferenceStream): void {
    // Such a request was answered already, and perhaps nobody looks at its body any more.
    if (stream.head?.badPath !== true) throw new Fault('padding');
    this.reading.mayEnd = true;
  }

  #headers(flags: number, id: number, payload: Buffer): void {
    if (id % 2 === 0) throw new Fault('HEADERS without a stream');
    let fragment = padded(flags, payload);
    if (fragment === undefined) throw new Fault('padding');
    if ((flags & Flag.priority) !== 0) {
      if (fragment.length < 5) throw new Fault('priority');
      fragment = fragment.subarray(5);
    }
    this.#block = { id, ends: (flags & Flag.endStream) !== 0, pieces: [fragment] };
    if ((flags & Flag.endHeaders) !== 0) this.#blockEnds();
  }

  #continuation(flags: number, payload: Buffer): void {
    if (this.#block === undefined) throw new Fault('CONTINUATION without HEADERS');
    this.#block.pieces.push(payload);
    if ((flags & Flag.endHeaders) !== 0) this.#blockEnds();
  }

  #blockEnds(): void {
    const { id, ends, pieces } = this.#block as { id: number; ends: boolean; pieces: Buffer[] };
    this.#block = undefined;
    const fields = this.#hpack.decode(Buffer.concat(pieces));
    if (fields === undefined) throw new Fault('compression');
    const known = this.streams.get(id);
    if (known !== undefined) trailers(known, ends);
    else if (id > this.#last && !this.reading.goodbye) this.#open(id, ends, fields);
    this.#last = Math.max(this.#last, id);
  }

  #open(id: number, ends: boolean, fields: readonly ReferenceField[]): void {
    const size = fields.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0);
    const head = size > mostListBytes ? undefined : requestOf(fields, ends);
    const state = head === undefined ? 'refused' : 'begun';
    const stream: ReferenceStream = {
      state,
      head,
      request: undefined,
      body: [],
      received: 0,
      window: this.#initialWindow,
    };
    this.streams.set(id, stream);
    if (head === undefined) return;
    if (ends) end(stream);
    // It says that nothing comes, and need not be waited for.
    else if (declaredLength(stream) === 0) stream.request = head;
  }

  #reset(id: number, payload: Buffer): void {
    if (payload.length !== 4 || id === 0 || id > this.#last) throw new Fault('RST_STREAM');
    const stream = this.streams.get(id);
    if (stream !== undefined) stream.state = 'doubtful';
  }

  #settings(flags: number, id: number, payload: Buffer): void {
    if (id !== 0) throw new Fault('SETTINGS on a stream');
    const acknowledges = (flags & Flag.ack) !== 0;
    if (acknowledges ? payload.length > 0 : payload.length % 6 !== 0) throw new Fault('SETTINGS');
    const pairs = Array.from({ length: payload.length / 6 }, (_, at) => payload.subarray(at * 6, at * 6 + 6));
    for (const pair of pairs) {
      const [name, value] = [pair.readUInt16BE(0), pair.readUInt32BE(2)];
      const wrong =
        (name === 2 && value > 1) ||
        (name === 4 && value > maxWindow) ||
        (name === 5 && (value < 16_384 || value >= 2 ** 24));
      if (wrong) throw new Fault('a setting');
    }
    for (const pair of pairs.filter((one) => one.readUInt16BE(0) === 4)) this.#moveWindows(pair.readUInt32BE(2));
  }

  #moveWindows(value: number): void {
    for (const stream of this.streams.values()) {
      stream.window += value - this.#initialWindow;
      // A fault when the stream is still there.
      if (stream.window > maxWindow) this.reading.mayEnd = true;
    }
    this.#initialWindow = value;
  }

  #windowUpdate(id: number, payload: Buffer): void {
    if (payload.length !== 4) throw new Fault('WINDOW_UPDATE');
    const count = payload.readUInt32BE(0) & maxWindow;
    if (id > 0) return this.#widenStream(id, count);
    if (count === 0) throw new Fault('WINDOW_UPDATE of nothing');
    this.#sendWindow += count;
    // What was answered meanwhile has made it smaller, by very little.
    if (this.#sendWindow > maxWindow + 2 ** 20) throw new Fault('window');
    if (this.#sendWindow > maxWindow) this.reading.mayEnd = true;
  }

  #widenStream(id: number, count: number): void {
    if (id > this.#last) throw new Fault('WINDOW_UPDATE without a stream');
    const stream = this.streams.get(id);
    if (stream === undefined) return;
    stream.window += count;
    if (count === 0 || stream.window > maxWindow) stream.state = 'doubtful';
  }
}

/** Without the padding; undefined when there is more of it than frame. */
function padded(flags: number, payload: Buffer): Buffer | undefined {
  if ((flags & Flag.padded) === 0) return payload;
  const [count] = payload;
  return count === undefined || count >= payload.length ? undefined : payload.subarray(1, payload.length - count);
}

/** Trailers end a request, and are dropped. */
function trailers(stream: ReferenceStream, ends: boolean): void {
  if (stream.state === 'whole') stream.state = 'doubtful';
  if (stream.state !== 'begun') return;
  if (ends) end(stream);
  else stream.state = 'refused';
}

function end(stream: ReferenceStream): void {
  const declared = declaredLength(stream);
  const fits = declared === Number.POSITIVE_INFINITY || declared === lengthOf(stream.body);
  stream.state = fits ? 'whole' : stream.request === undefined ? 'refused' : 'doubtful';
  if (fits) stream.request = { ...(stream.head as StrictRequest), body: Buffer.concat(stream.body).toString('latin1') };
}

/** Infinity when the request does not say. */
function declaredLength({ head }: ReferenceStream): number {
  const value = head?.fields.find(([name]) => name === 'content-length')?.[1];
  return value === undefined ? Number.POSITIVE_INFINITY : Number(value);
}

function lengthOf(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}
