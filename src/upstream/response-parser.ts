import { listElements } from '../http/list-elements.ts';
import { lineFeed } from './byte-class.ts';
import { ChunkedDecoder } from './chunked-decoder.ts';
import type { FieldNameTable } from './field-name-table.ts';
import type { HeadBlock } from './head-block.ts';
import { HeadScanner, incomplete, invalid } from './head-scanner.ts';

/** What `ResponseParser.next` found. */
export const ParserEvent = {
  /** Nothing more in the bytes given. */
  needMore: 0,
  /** A final response's head: the parser's `status`, `contentLength`, `bodiless` and the block hold it. */
  head: 1,
  /** A piece of body at `dataStart..dataEnd` of `bytes`. */
  data: 2,
  /** The response is complete. */
  end: 3,
  /** The bytes are no HTTP/1.1 response; `fault` says why. */
  failed: 4,
  /** A 101 that was asked for: the block holds its fields, `switchedTo` what is spoken now. What follows is `data` to the end. */
  switched: 5,
} as const;
export type ParserEvent = (typeof ParserEvent)[keyof typeof ParserEvent];

const State = { head: 0, fixed: 1, chunked: 2, untilClose: 3, ended: 4, complete: 5, failed: 6 } as const;
type State = (typeof State)[keyof typeof State];

/** 1xx responses before the final one; more are an attack or a defect. */
const maxInterim = 16;
const nothing = Buffer.alloc(0);

/**
 * Reads responses off a connection, one after the other: an HTTP/1.1 parser (RFC 9112) that is asked for what comes next
 * instead of calling back, so that whoever passes the body on stops at any piece and goes on later. Strict: framing
 * that two parsers could read differently fails the response. However the bytes are split, the result is the same.
 */
export class ResponseParser {
  status = 0;
  /** Content-Length of the head read last; for HEAD and 304 it speaks of a body that does not follow. */
  contentLength: number | undefined;
  /** Whether no body follows, whatever the fields say (RFC 9112 section 6.3: HEAD, 204, 304). */
  bodiless = false;
  /** Whether the connection may carry another request behind this response. */
  persistent = false;
  hasRequestId = false;
  /** Whether the head says that an event stream follows. */
  eventStream = false;
  /** Protocols that a 101 says, as the server spells them. */
  switchedTo = '';
  /** Directives of the head, name (in lower case) and value in turn; undefined almost always. */
  directives: readonly string[] | undefined;
  /** Whether any byte of the response came, be it of a 1xx one. */
  begun = false;
  fault = '';
  bytes: Buffer = nothing;
  dataStart = 0;
  dataEnd = 0;

  private view: Buffer = nothing;
  private viewed: Buffer = nothing;
  private viewStart = 0;
  private readonly scanner: HeadScanner;
  private readonly chunks = new ChunkedDecoder();
  private maxHead = 0;
  private state: State = State.complete;
  private position = 0;
  private end = 0;
  /** Bytes of body to come in `fixed`. */
  private remaining = 0;
  private toHead = false;
  /** Protocols that were asked for, in lower case; undefined almost always. */
  private asked: readonly string[] | undefined;
  private interim = 0;
  /** The beginning of a head whose end has not come; undefined almost always. */
  private partial: Buffer | undefined;
  private partialLength = 0;

  /** @param block where heads are put together; may be shared with parsers of the same thread */
  constructor(block: HeadBlock) {
    this.scanner = new HeadScanner(block);
  }

  /**
   * Awaits the response to the next request.
   * @param toHead  whether that is a HEAD request
   * @param names   which fields are passed on
   * @param maxHead bytes that the head may have
   * @param asked   protocols that the request asks to go on with, in lower case
   */
  start(toHead: boolean, names: FieldNameTable, maxHead: number, asked?: readonly string[]): void {
    this.asked = asked;
    this.scanner.useNames(names);
    this.maxHead = maxHead;
    this.state = State.head;
    this.toHead = toHead;
    this.interim = 0;
    this.begun = false;
    this.partialLength = 0;
  }

  /** Gives bytes to read. They must not change until `next` says `needMore`; a chunked body is decoded within them. */
  feed(bytes: Buffer, start: number, end: number): void {
    if (end > start) this.begun = true;
    this.bytes = bytes;
    this.position = start;
    this.end = end;
  }

  /** The piece of body found last; the same view as before where it lies in the same place, because views cost a call each. */
  data(): Buffer {
    const { bytes, dataStart, dataEnd, view } = this;
    if (this.viewed === bytes && this.viewStart === dataStart && view.length === dataEnd - dataStart) return view;
    this.viewed = bytes;
    this.viewStart = dataStart;
    return (this.view = bytes.subarray(dataStart, dataEnd));
  }

  /** Whether the piece of body found last was the last one. */
  get isLastData(): boolean {
    return this.state === State.ended;
  }

  /** Whether bytes lie behind the complete response: nobody asked for them. */
  get hasExcess(): boolean {
    return this.position < this.end;
  }

  next(): ParserEvent {
    switch (this.state) {
      case State.head:
        return this.position === this.end ? ParserEvent.needMore : this.readHead();
      case State.fixed:
        return this.readFixed();
      case State.chunked:
        return this.readChunked();
      case State.untilClose:
        return this.emit(this.position, this.end, this.end);
      case State.ended:
        this.state = State.complete;
        return ParserEvent.end;
      case State.failed:
        return ParserEvent.failed;
      default:
        return ParserEvent.needMore;
    }
  }

  /**
   * The server has closed the connection. To be called after `next` said `needMore`.
   * @returns `end` where that ends the response, `failed` where the bytes before were none, else `needMore`: it is cut short
   */
  finish(): ParserEvent {
    if (this.state === State.untilClose) {
      this.state = State.complete;
      return ParserEvent.end;
    }
    if (this.state === State.head && this.partial !== undefined && this.partialLength > 0) {
      if (this.scanner.scan(this.partial, 0, this.partialLength) === invalid) return this.fail(this.scanner.fault);
    }
    return this.state === State.failed ? ParserEvent.failed : ParserEvent.needMore;
  }

  private readHead(): ParserEvent {
    if (this.partialLength > 0) return this.continueHead();
    const start = this.position;
    const end = Math.min(this.end, start + this.maxHead);
    const next = this.scanner.scan(this.bytes, start, end);
    if (next > 0) return this.takeHead(next);
    if (next === invalid) return this.fail(this.scanner.fault);
    if (end - start === this.maxHead) return this.fail('the head is larger than `maxResponseHead`');
    return this.keepPartial();
  }

  /** Puts what is there of a head aside until the rest comes. */
  private keepPartial(): ParserEvent {
    const count = Math.min(this.end - this.position, this.maxHead - this.partialLength);
    const needed = this.partialLength + count;
    if (this.partial === undefined || this.partial.length < needed) {
      const grown = Buffer.allocUnsafeSlow(Math.min(this.maxHead, Math.max(1024, needed * 2)));
      this.partial?.copy(grown, 0, 0, this.partialLength);
      this.partial = grown;
    }
    this.bytes.copy(this.partial, this.partialLength, this.position, this.position + count);
    this.partialLength = needed;
    this.position += count;
    return ParserEvent.needMore;
  }

  private continueHead(): ParserEvent {
    const before = this.partialLength;
    const start = this.position;
    this.keepPartial();
    const partial = this.partial as Buffer;
    // Only a line's end can complete the head or be wrong in it: without one there is nothing to read anew.
    const lineEnd = partial.indexOf(lineFeed, before);
    const next =
      lineEnd < 0 || lineEnd >= this.partialLength ? incomplete : this.scanner.scan(partial, 0, this.partialLength);
    if (next > 0) {
      this.partialLength = 0;
      return this.takeHead(start + next - before);
    }
    if (next === invalid) return this.fail(this.scanner.fault);
    if (before + this.end - start >= this.maxHead) return this.fail('the head is larger than `maxResponseHead`');
    return ParserEvent.needMore;
  }

  /** @param next position behind the head in `bytes` */
  private takeHead(next: number): ParserEvent {
    const { scanner } = this;
    const { status } = scanner;
    this.position = next;
    if (status < 200) return this.takeInterim(status);
    this.status = status;
    this.contentLength = scanner.contentLength;
    this.hasRequestId = scanner.hasRequestId;
    this.eventStream = scanner.eventStream;
    this.directives = scanner.directives;
    const { chunked, contentLength } = scanner;
    const framed = chunked || contentLength !== undefined;
    this.bodiless = this.toHead || status === 204 || status === 304;
    this.persistent = !scanner.close && (scanner.minorVersion === 1 || scanner.keepAlive);
    if (this.bodiless) {
      this.state = State.ended;
      // A 204 that announces a body may have one behind it all the same.
      if (status === 204 && (chunked || (contentLength ?? 0) > 0)) this.persistent = false;
    } else if (chunked) {
      this.state = State.chunked;
      this.chunks.reset();
    } else if (contentLength !== undefined) {
      this.remaining = contentLength;
      this.state = contentLength === 0 ? State.ended : State.fixed;
    } else {
      this.state = State.untilClose;
    }
    if (!framed && !this.bodiless) this.persistent = false;
    return ParserEvent.head;
  }

  /** Skips a 1xx response (RFC 9110 section 15.2): nothing asked for it. */
  private takeInterim(status: number): ParserEvent {
    const { asked } = this;
    if (status === 101 && asked === undefined) return this.fail('it switches to a protocol that was not asked for');
    if (this.scanner.chunked || this.scanner.contentLength !== undefined)
      return this.fail('a 1xx response with a body');
    if (status === 101) return this.takeSwitch(asked ?? []);
    if (++this.interim > maxInterim) return this.fail('too many 1xx responses');
    return this.next();
  }

  /** RFC 9110 section 15.2.2: the server says what it switches to, all layers of it. */
  private takeSwitch(asked: readonly string[]): ParserEvent {
    const named = listElements(this.scanner.upgrade);
    if (named[0] === '' || !named.every((protocol) => asked.includes(protocol.toLowerCase()))) {
      return this.fail('it switches to a protocol that was not asked for');
    }
    this.switchedTo = named.join(', ');
    this.status = 101;
    this.contentLength = undefined;
    this.hasRequestId = this.scanner.hasRequestId;
    this.bodiless = this.persistent = this.eventStream = false;
    this.directives = undefined;
    this.state = State.untilClose;
    return ParserEvent.switched;
  }

  private readFixed(): ParserEvent {
    const count = Math.min(this.remaining, this.end - this.position);
    this.remaining -= count;
    if (this.remaining === 0) this.state = State.ended;
    return this.emit(this.position, this.position + count, this.position + count);
  }

  private readChunked(): ParserEvent {
    const { chunks } = this;
    chunks.decode(this.bytes, this.position, this.end);
    // What was decoded before the fault is dropped with the response: the caller cuts it off anyway.
    if (chunks.fault !== undefined) return this.fail(chunks.fault);
    const event = this.emit(chunks.dataStart, chunks.dataEnd, chunks.position);
    if (!chunks.done) return event;
    this.state = State.ended;
    return event === ParserEvent.data ? event : this.next();
  }

  private emit(start: number, end: number, position: number): ParserEvent {
    this.position = position;
    if (start === end) return ParserEvent.needMore;
    this.dataStart = start;
    this.dataEnd = end;
    return ParserEvent.data;
  }

  private fail(fault: string): ParserEvent {
    this.fault = fault;
    this.state = State.failed;
    return ParserEvent.failed;
  }
}
