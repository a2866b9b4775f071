import { carriageReturn, colon, fieldValueByte, lineFeed, space, tab, tokenLowerCase } from './byte-class.ts';
import { equalIgnoringCase, FieldKind, FieldNameTable, isKept } from './field-name-table.ts';
import type { HeadBlock } from './head-block.ts';

/** The head goes on behind the bytes at hand. */
export const incomplete = -1;
/** The bytes are no response head; `HeadScanner.fault` says why. */
export const invalid = -2;

const versionPrefix = Buffer.from('HTTP/1.', 'latin1');
const chunkedToken = Buffer.from('chunked', 'latin1');
const closeToken = Buffer.from('close', 'latin1');
const keepAliveToken = Buffer.from('keep-alive', 'latin1');
const slash = 0x2f;
const semicolon = 0x3b;
const textType = Buffer.from('text', 'latin1');
const eventStreamSubtype = Buffer.from('event-stream', 'latin1');

/**
 * Reads one response head (RFC 9112 sections 4 and 5) in a single pass over the bytes where they lie, and copies the
 * status line and the fields to pass on into a block. Strict: what two parsers could read differently is invalid.
 */
export class HeadScanner {
  status = 0;
  /** 0 for HTTP/1.0, 1 for HTTP/1.1. */
  minorVersion = 1;
  /** Undefined: there is no such field. */
  contentLength: number | undefined;
  /** Whether there is a Transfer-Encoding field; it is `chunked` then. */
  chunked = false;
  /** Whether Connection has `close`, `keep-alive`. */
  close = false;
  keepAlive = false;
  hasRequestId = false;
  /** Whether Content-Type says `text/event-stream`. */
  eventStream = false;
  /** Directives in the head, name (in lower case) and value in turn; undefined almost always. */
  directives: string[] | undefined;
  /** What Upgrade says in the head of a 101, all such fields together; '' without one. */
  upgrade = '';
  /** What is wrong with an invalid head, for the operator. */
  fault = '';

  private readonly block: HeadBlock;
  private names = new FieldNameTable();
  /** Names that a Connection field declares hop-by-hop; undefined almost always. */
  private named: Set<string> | undefined;
  /** The lines not copied yet lie at `runStart..runEnd`: neighbours are copied in one go. */
  private runStart = 0;
  private runEnd = 0;
  private valueStart = 0;
  private valueEnd = 0;

  constructor(block: HeadBlock) {
    this.block = block;
  }

  /** Chooses which fields the responses to come are passed on with. */
  useNames(names: FieldNameTable): void {
    this.names = names;
  }

  /** @returns the position behind the empty line, or `incomplete`, or `invalid` */
  scan(bytes: Buffer, start: number, end: number): number {
    this.named = undefined;
    const position = this.scanOnce(bytes, start, end);
    // Connection may stand behind the fields that it names: with their names known, once more from the start.
    return position > 0 && this.named !== undefined ? this.scanOnce(bytes, start, end) : position;
  }

  private scanOnce(bytes: Buffer, start: number, end: number): number {
    this.contentLength = undefined;
    this.chunked = this.close = this.keepAlive = this.hasRequestId = this.eventStream = false;
    this.directives = undefined;
    this.upgrade = '';
    this.block.clear();
    let position = this.statusLine(bytes, start, end);
    while (position > 0) {
      if (position >= end) return incomplete;
      if (bytes[position] === carriageReturn) {
        if (position + 1 >= end) return incomplete;
        if (bytes[position + 1] !== lineFeed) return this.fail('a bare CR in the head');
        if (this.chunked && this.contentLength !== undefined) {
          return this.fail('both Transfer-Encoding and Content-Length');
        }
        this.block.appendRange(bytes, this.runStart, this.runEnd);
        return position + 2;
      }
      position = this.fieldLine(bytes, position, end);
    }
    return position;
  }

  private statusLine(bytes: Buffer, start: number, end: number): number {
    const known = Math.min(end - start, versionPrefix.length);
    for (let index = 0; index < known; index++) {
      if (bytes[start + index] !== versionPrefix[index]) return this.fail('the status line is not one of HTTP/1');
    }
    let status = 0;
    for (let index = versionPrefix.length; index < 12; index++) {
      const position = start + index;
      if (position >= end) return incomplete;
      const byte = bytes[position] as number;
      if (index === 7) {
        this.minorVersion = byte - 0x30;
        if (this.minorVersion !== 0 && this.minorVersion !== 1) return this.fail('neither HTTP/1.0 nor HTTP/1.1');
      } else if (index === 8) {
        if (byte !== space) return this.fail('no space behind the version');
      } else {
        if (byte < 0x30 || byte > 0x39) return this.fail('the status is not three digits');
        status = status * 10 + byte - 0x30;
      }
    }
    if (status < 100) return this.fail('the status is below 100');
    this.status = status;
    return this.reason(bytes, start, end);
  }

  /** The rest of the status line. The space before an absent reason is left out by many and supplied here. */
  private reason(bytes: Buffer, start: number, end: number): number {
    let position = start + 12;
    if (position >= end) return incomplete;
    const separator = bytes[position];
    if (separator !== space && separator !== carriageReturn) return this.fail('the status is not three digits');
    while (position < end && fieldValueByte[bytes[position] as number] === 1) position++;
    const next = this.lineEnd(bytes, position, end);
    if (next < 0) return next;
    this.runStart = start + 9;
    this.runEnd = position;
    if (separator === carriageReturn) {
      this.flushRun(bytes, position);
      this.block.appendText(' ');
    }
    return next;
  }

  private fieldLine(bytes: Buffer, start: number, end: number): number {
    let position = start;
    while (position < end && tokenLowerCase[bytes[position] as number] !== 0) position++;
    if (position >= end) return incomplete;
    if (bytes[position] !== colon) return this.fail(describeNameFault(bytes, start, position));
    if (position === start) return this.fail('a field without a name');
    const nameEnd = position++;
    const valueStart = position;
    while (position < end && fieldValueByte[bytes[position] as number] === 1) position++;
    const next = this.lineEnd(bytes, position, end);
    if (next < 0) return next;
    const kind = this.names.lookUp(bytes, start, nameEnd);
    let kept = isKept(kind);
    if (kept && this.named?.has(bytes.toString('latin1', start, nameEnd).toLowerCase()) === true) kept = false;
    if (kept) {
      if (kind === FieldKind.requestId) this.hasRequestId = true;
      else if (kind === FieldKind.contentType) this.readContentType(bytes, valueStart, position);
      this.runEnd = position;
      return next;
    }
    // The CR LF before a line belongs to the line: what is dropped goes with it.
    this.flushRun(bytes, position);
    if (kind === FieldKind.directive) this.readDirective(bytes, start, nameEnd, position);
    return kind <= FieldKind.drop || this.framingField(kind, bytes, valueStart, position) ? next : invalid;
  }

  /** Checks the CR LF at `position`. @returns the position behind it */
  private lineEnd(bytes: Buffer, position: number, end: number): number {
    if (position >= end) return incomplete;
    const byte = bytes[position];
    if (byte !== carriageReturn) {
      return this.fail(byte === lineFeed ? 'a line ends in a bare LF' : 'a control character in a line');
    }
    if (position + 1 >= end) return incomplete;
    return bytes[position + 1] === lineFeed ? position + 2 : this.fail('a bare CR in a line');
  }

  /** Copies the pending lines; the next run begins behind the line that ends at `lineEnd`. */
  private flushRun(bytes: Buffer, lineEnd: number): void {
    this.block.appendRange(bytes, this.runStart, this.runEnd);
    this.runStart = this.runEnd = lineEnd;
  }

  /** @returns false when the field makes the head invalid */
  private framingField(kind: FieldKind, bytes: Buffer, start: number, end: number): boolean {
    this.trim(bytes, start, end);
    if (kind === FieldKind.contentLength) return this.readContentLength(bytes);
    if (kind === FieldKind.transferEncoding) return this.readTransferEncoding(bytes);
    if (kind === FieldKind.connection) this.readConnection(bytes);
    else if (kind === FieldKind.upgrade && this.status === 101) this.readUpgrade(bytes);
    return true;
  }

  private trim(bytes: Buffer, start: number, end: number): void {
    while (start < end && isBlank(bytes[start])) start++;
    while (end > start && isBlank(bytes[end - 1])) end--;
    this.valueStart = start;
    this.valueEnd = end;
  }

  private readContentLength(bytes: Buffer): boolean {
    const { valueStart, valueEnd } = this;
    if (this.contentLength !== undefined) return this.refuse('more than one Content-Length');
    // Fifteen digits stay below 2^53.
    if (valueEnd === valueStart || valueEnd - valueStart > 15) return this.refuse('Content-Length is no length');
    let length = 0;
    for (let position = valueStart; position < valueEnd; position++) {
      const digit = (bytes[position] as number) - 0x30;
      if (digit < 0 || digit > 9) return this.refuse('Content-Length is not a number');
      length = length * 10 + digit;
    }
    this.contentLength = length;
    return true;
  }

  private readTransferEncoding(bytes: Buffer): boolean {
    if (this.chunked) return this.refuse('more than one Transfer-Encoding');
    // RFC 9112 section 6.1: in HTTP/1.0 its framing is faulty.
    if (this.minorVersion === 0) return this.refuse('Transfer-Encoding in HTTP/1.0');
    if (!this.valueIs(bytes, chunkedToken)) return this.refuse('a Transfer-Encoding other than chunked');
    this.chunked = true;
    return true;
  }

  private readConnection(bytes: Buffer): void {
    if (this.valueIs(bytes, keepAliveToken)) this.keepAlive = true;
    else if (this.valueIs(bytes, closeToken)) this.close = true;
    else {
      for (const part of bytes.toString('latin1', this.valueStart, this.valueEnd).toLowerCase().split(',')) {
        const option = part.trim();
        if (option === 'close') this.close = true;
        else if (option === 'keep-alive') this.keepAlive = true;
        else if (option !== '') (this.named ??= new Set()).add(option);
      }
    }
  }

  /** Any response may have the field, to tell what the server speaks besides; it says what is spoken now in one alone. */
  private readUpgrade(bytes: Buffer): void {
    const value = bytes.toString('latin1', this.valueStart, this.valueEnd);
    this.upgrade = this.upgrade === '' ? value : `${this.upgrade}, ${value}`;
  }

  private readContentType(bytes: Buffer, start: number, end: number): void {
    while (start < end && isBlank(bytes[start])) start++;
    const subtype = start + textType.length + 1;
    const typeEnd = subtype + eventStreamSubtype.length;
    if (end < typeEnd || bytes[subtype - 1] !== slash || !equalIgnoringCase(bytes, subtype, eventStreamSubtype)) return;
    const next = bytes[typeEnd];
    this.eventStream =
      equalIgnoringCase(bytes, start, textType) && (end === typeEnd || next === semicolon || isBlank(next));
  }

  private readDirective(bytes: Buffer, start: number, nameEnd: number, end: number): void {
    this.trim(bytes, nameEnd + 1, end);
    const name = bytes.toString('latin1', start, nameEnd).toLowerCase();
    (this.directives ??= []).push(name, bytes.toString('latin1', this.valueStart, this.valueEnd));
  }

  private valueIs(bytes: Buffer, expected: Uint8Array): boolean {
    return this.valueEnd - this.valueStart === expected.length && equalIgnoringCase(bytes, this.valueStart, expected);
  }

  private refuse(fault: string): false {
    this.fault = fault;
    return false;
  }

  private fail(fault: string): typeof invalid {
    this.fault = fault;
    return invalid;
  }
}

function isBlank(byte: number | undefined): boolean {
  return byte === space || byte === tab;
}

function describeNameFault(bytes: Buffer, start: number, position: number): string {
  if (!isBlank(bytes[position])) return 'a line is no field';
  return position === start ? 'a folded field' : 'a space before the colon of a field';
}
