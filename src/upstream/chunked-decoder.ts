import {
  backslash,
  carriageReturn,
  colon,
  equals,
  fieldValueByte,
  hexValue,
  lineFeed,
  quote,
  semicolon,
  tokenLowerCase,
} from './byte-class.ts';

const State = {
  sizeStart: 0,
  size: 1,
  extensionStart: 2,
  extensionName: 3,
  extensionValueStart: 4,
  extensionValue: 5,
  extensionQuoted: 6,
  extensionEscaped: 7,
  extensionQuoteEnd: 8,
  sizeEnd: 9,
  data: 10,
  dataCarriageReturn: 11,
  dataLineFeed: 12,
  trailerStart: 13,
  trailerName: 14,
  trailerValue: 15,
  trailerLineFeed: 16,
  lastLineFeed: 17,
} as const;
type State = (typeof State)[keyof typeof State];

/** More than 2^52 bytes of chunk cannot be counted exactly. */
const maxSizeDigits = 13;
/** Bytes of extensions a chunk may have; they mean nothing here and are dropped. */
const maxExtensionLength = 1024;
/** Bytes of trailer fields a response may have; they are read and dropped. */
const maxTrailerLength = 8192;

/** Decodes a chunked body (RFC 9112 section 7.1), strictly, however its bytes are split. */
export class ChunkedDecoder {
  /** Where reading stopped in the bytes given last. */
  position = 0;
  /** The decoded bytes, moved together within the bytes given last. */
  dataStart = 0;
  dataEnd = 0;
  /** Whether the last chunk and the trailers were read. */
  done = false;
  /** What is wrong; undefined when nothing is. */
  fault: string | undefined;

  private state: State = State.sizeStart;
  private remaining = 0;
  /** Digits of a size, bytes of an extension, or bytes of the trailers so far. */
  private count = 0;

  reset(): void {
    this.state = State.sizeStart;
    this.done = false;
    this.fault = undefined;
  }

  /**
   * Decodes up to `end`, or to the end of the body. Changes the bytes: where several chunks lie in them their data is
   * moved together, so that it goes on as one piece.
   */
  decode(bytes: Buffer, start: number, end: number): void {
    let position = start;
    this.dataStart = this.dataEnd = start;
    while (position < end && !this.done) {
      if (this.state === State.data) {
        const count = Math.min(this.remaining, end - position);
        this.take(bytes, position, count);
        position += count;
        this.remaining -= count;
        if (this.remaining === 0) this.state = State.dataCarriageReturn;
      } else {
        const next =
          this.state < State.data ? this.sizeByte(bytes[position] as number) : this.lineByte(bytes[position] as number);
        position++;
        if (next === undefined) break;
        this.state = next;
      }
    }
    this.position = position;
  }

  private take(bytes: Buffer, position: number, count: number): void {
    if (this.dataStart === this.dataEnd) {
      this.dataStart = position;
      this.dataEnd = position + count;
    } else {
      bytes.copyWithin(this.dataEnd, position, position + count);
      this.dataEnd += count;
    }
  }

  /** One byte of the line before a chunk. @returns the next state, undefined when the byte is wrong */
  private sizeByte(byte: number): State | undefined {
    const digit = hexValue[byte] as number;
    switch (this.state) {
      case State.sizeStart:
        if (digit === 255) return this.fail('a chunk without a size');
        this.remaining = digit;
        this.count = 1;
        return State.size;
      case State.size:
        if (digit !== 255) {
          if (++this.count > maxSizeDigits) return this.fail('a chunk size too large');
          this.remaining = this.remaining * 16 + digit;
          return State.size;
        }
        this.count = 0;
        return this.sizeSeparator(byte) ?? this.fail('a chunk size that is no number');
      case State.sizeEnd:
        if (byte !== lineFeed) return this.fail('a bare CR behind a chunk size');
        this.count = 0;
        return this.remaining === 0 ? State.trailerStart : State.data;
      default:
        if (++this.count > maxExtensionLength) return this.fail('chunk extensions too large');
        return this.extensionByte(byte) ?? this.fail('a chunk extension that is none');
    }
  }

  /** One byte of the extensions (RFC 9112 section 7.1.1), without the blanks that only parsers are to take. */
  private extensionByte(byte: number): State | undefined {
    switch (this.state) {
      case State.extensionStart:
        return tokenLowerCase[byte] === 0 ? undefined : State.extensionName;
      case State.extensionName:
        if (byte === equals) return State.extensionValueStart;
        return tokenLowerCase[byte] === 0 ? this.sizeSeparator(byte) : State.extensionName;
      case State.extensionValueStart:
        if (byte === quote) return State.extensionQuoted;
        return tokenLowerCase[byte] === 0 ? undefined : State.extensionValue;
      case State.extensionValue:
        return tokenLowerCase[byte] === 0 ? this.sizeSeparator(byte) : State.extensionValue;
      case State.extensionQuoted:
        if (byte === quote) return State.extensionQuoteEnd;
        if (byte === backslash) return State.extensionEscaped;
        return fieldValueByte[byte] === 1 ? State.extensionQuoted : undefined;
      case State.extensionEscaped:
        return fieldValueByte[byte] === 1 ? State.extensionQuoted : undefined;
      default:
        return this.sizeSeparator(byte);
    }
  }

  private sizeSeparator(byte: number): State | undefined {
    if (byte === semicolon) return State.extensionStart;
    return byte === carriageReturn ? State.sizeEnd : undefined;
  }

  /** One byte behind a chunk's data or in the trailers. */
  private lineByte(byte: number): State | undefined {
    switch (this.state) {
      case State.dataCarriageReturn:
        return byte === carriageReturn ? State.dataLineFeed : this.fail('a chunk longer than its size');
      case State.dataLineFeed:
        return byte === lineFeed ? State.sizeStart : this.fail('a bare CR behind a chunk');
      case State.lastLineFeed:
        if (byte !== lineFeed) return this.fail('a bare CR behind the trailers');
        this.done = true;
        return State.sizeStart;
      default:
        return ++this.count > maxTrailerLength ? this.fail('trailers too large') : this.trailerByte(byte);
    }
  }

  private trailerByte(byte: number): State | undefined {
    switch (this.state) {
      case State.trailerStart:
        if (byte === carriageReturn) return State.lastLineFeed;
        return tokenLowerCase[byte] === 0 ? this.fail('a trailer that is no field') : State.trailerName;
      case State.trailerName:
        if (byte === colon) return State.trailerValue;
        return tokenLowerCase[byte] === 0 ? this.fail('a trailer that is no field') : State.trailerName;
      case State.trailerValue:
        if (byte === carriageReturn) return State.trailerLineFeed;
        return fieldValueByte[byte] === 1 ? State.trailerValue : this.fail('a control character in a trailer');
      default:
        return byte === lineFeed ? State.trailerStart : this.fail('a bare CR in a trailer');
    }
  }

  private fail(fault: string): undefined {
    this.fault = fault;
    return undefined;
  }
}
