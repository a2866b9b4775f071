import { Duplex } from 'node:stream';
import { ErrorCode } from '../http2/frame.ts';
import type { Http2Stream } from './http2-stream.ts';

const nothing = new Uint8Array(0);

/**
 * A stream that carries another protocol once it is open (RFC 8441), as a socket of Node.js. What comes before it is open
 * is held, as much as the window of the stream lets in; what nobody reads gives no room back to the client.
 */
export class Http2Tunnel extends Duplex {
  /** Whether the client was told that it may speak the other protocol. */
  isOpen = false;
  readonly #stream: Http2Stream;
  /** The head of an answer in HTTP/1.1, which whoever takes a socket over writes first. HEADERS have taken its place. */
  #headDropped = false;
  #written: (() => void) | undefined;

  constructor(stream: Http2Stream) {
    super({ emitClose: true });
    this.#stream = stream;
    stream.pause();
    this.on('error', ignore);
  }

  /** A piece has come. @param last whether the client has ended its side */
  receive(data: Buffer, last: boolean): void {
    if (this.destroyed) return;
    // What waits must not keep the whole piece of memory that it was read into.
    if (data.length > 0 && !this.push(this.readableFlowing === true ? data : Buffer.from(data))) this.#stream.pause();
    if (last) this.push(null);
  }

  /** What was written last has left. */
  flushed(): void {
    const written = this.#written;
    this.#written = undefined;
    written?.();
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (!this.#headDropped) {
      this.#headDropped = true;
      done();
    } else if (this.#stream.write(chunk)) done();
    else this.#written = done;
  }

  /** The head and the payload of a frame go out together. */
  override _writev(chunks: { chunk: Buffer; encoding: BufferEncoding }[], done: () => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), 'latin1', done);
  }

  override _final(done: () => void): void {
    this.#stream.session.output.data(this.#stream, nothing, true);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // As a connection that is cut (RFC 8441 section 5).
    this.#stream.session.reset(this.#stream, ErrorCode.cancel);
    this.#written = undefined;
    done(error);
  }
}

function ignore(): void {
  // `close` follows.
}
