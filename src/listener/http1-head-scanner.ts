import { carriageReturn, colon, fieldValueByte, lineFeed, space, tab, tokenLowerCase } from '../upstream/byte-class.ts';
import type { FieldNames } from './field-names.ts';

/** Lines of fields in one head; as many as uWebSockets.js takes. */
const maxFields = 98;

/** What `scan` gives in place of a position. */
export const headIncomplete = -1;
export const headInvalid = -2;
export const headTooLarge = -3;
export const headVersionUnknown = -4;

const nothing: string[] = [];

/**
 * Reads a request line and fields from bytes (RFC 9112 sections 3 and 5), strictly: one space between the parts of the
 * request line, CR LF behind each line, no folding, no space before a colon. What it has read stays read however the
 * bytes are split, so that a client that sends them one by one costs no more than another.
 */
export class Http1HeadScanner {
  method = '';
  target = '';
  minorVersion = 1;
  /** `[name, value, …]`, names in lower case, values as Latin-1. A new list for each head. */
  entries: string[] = nothing;
  /** What is wrong. */
  fault = '';
  /** Where the first line begins that is not complete. */
  consumed = 0;
  private started = false;
  private readonly names: FieldNames;

  constructor(names: FieldNames) {
    this.names = names;
  }

  /** Forgets what was read of a head. */
  reset(): void {
    this.started = false;
    this.entries = nothing;
  }

  /**
   * Goes on with bytes that begin where `consumed` was left.
   * @returns the position behind the head, or one of the constants above
   */
  scan(bytes: Buffer, start: number, end: number): number {
    this.consumed = start;
    const text = bytes.toString('latin1', start, end);
    let position = start;
    if (!this.started) {
      const next = this.requestLine(bytes, text, start, end);
      if (next < 0) return next;
      this.started = true;
      this.entries = [];
      this.consumed = position = next;
    }
    for (;;) {
      if (position >= end) return headIncomplete;
      if (bytes[position] === carriageReturn) {
        if (position + 1 >= end) return headIncomplete;
        return bytes[position + 1] === lineFeed ? position + 2 : this.fail('a bare CR behind the fields');
      }
      const next = this.fieldLine(bytes, text, start, position, end);
      if (next < 0) return next;
      this.consumed = position = next;
    }
  }

  private requestLine(bytes: Buffer, text: string, start: number, end: number): number {
    let position = start;
    while (position < end && tokenLowerCase[bytes[position] as number] !== 0) position++;
    const methodEnd = position;
    if (position >= end) return headIncomplete;
    if (bytes[position] !== space || methodEnd === start) return this.fail('a request line without a method');
    const targetStart = ++position;
    while (position < end && isTargetByte(bytes[position] as number)) position++;
    if (position >= end) return headIncomplete;
    if (bytes[position] !== space || position === targetStart) return this.fail('a request line without a target');
    const version = position + 1;
    if (version + 10 > end) return this.partOfVersion(text, version - start);
    const line = text.slice(version - start, version - start + 10);
    if (line !== 'HTTP/1.1\r\n' && line !== 'HTTP/1.0\r\n') return this.wrongVersion(line);
    this.method = text.slice(0, methodEnd - start);
    this.target = text.slice(targetStart - start, position - start);
    this.minorVersion = line === 'HTTP/1.1\r\n' ? 1 : 0;
    return version + 10;
  }

  /** The line ends early: it may go on. */
  private partOfVersion(text: string, at: number): number {
    const part = text.slice(at);
    const known = 'HTTP/1.1\r\n'.startsWith(part) || 'HTTP/1.0\r\n'.startsWith(part);
    return known ? headIncomplete : this.wrongVersion(part);
  }

  private wrongVersion(text: string): number {
    const version = /^HTTP\/\d\.\d\r\n/.test(text) || /^HTTP\/[2-9]/.test(text);
    this.fault = version ? 'neither HTTP/1.0 nor HTTP/1.1' : 'a request line that is none';
    return version ? headVersionUnknown : headInvalid;
  }

  private fieldLine(bytes: Buffer, text: string, start: number, lineStart: number, end: number): number {
    let position = lineStart;
    while (position < end && tokenLowerCase[bytes[position] as number] !== 0) position++;
    if (position >= end) return headIncomplete;
    if (bytes[position] !== colon || position === lineStart) return this.fail('a line that is no field');
    const nameEnd = position++;
    while (position < end && isBlank(bytes[position] as number)) position++;
    const valueStart = position;
    while (position < end && fieldValueByte[bytes[position] as number] === 1) position++;
    if (position + 1 >= end)
      return position < end && bytes[position] !== carriageReturn ? this.wrongEnd() : headIncomplete;
    if (bytes[position] !== carriageReturn || bytes[position + 1] !== lineFeed) return this.wrongEnd();
    let valueEnd = position;
    while (valueEnd > valueStart && isBlank(bytes[valueEnd - 1] as number)) valueEnd--;
    if (this.entries.length >= 2 * maxFields) {
      this.fault = `more than ${maxFields} fields`;
      return headTooLarge;
    }
    const name = this.names.lowerCase(text.slice(lineStart - start, nameEnd - start));
    this.entries.push(name, text.slice(valueStart - start, valueEnd - start));
    return position + 2;
  }

  private wrongEnd(): number {
    return this.fail('a control character in a field, or a line that does not end with CR LF');
  }

  private fail(fault: string): number {
    this.fault = fault;
    return headInvalid;
  }
}

function isBlank(byte: number): boolean {
  return byte === space || byte === tab;
}

/** Visible ASCII: whatever else is wrong with a target is judged by the same check as everywhere. */
function isTargetByte(byte: number): boolean {
  return byte > space && byte < 0x7f;
}
