import { randomBytes } from 'node:crypto';
import { type ByteRange, rangesLength } from '../http/range.ts';
import type { ResponseHead } from '../response/response-head.ts';
import type { Representation } from './representation.ts';

/** A piece of a response body: bytes that are there, or a part of the file. */
type BodySegment = Buffer | ByteRange;

/** What is cut into parts; a file is one, and a stored response. */
export type Divisible = Pick<Representation, 'size' | 'contentType' | 'head'>;

/** What is sent of a file: all of it, one part, or several with a head before each. */
export interface FileResponse {
  readonly head: ResponseHead;
  readonly length: number;
  readonly segments: readonly BodySegment[];
}

export function wholeFile(representation: Representation): FileResponse {
  const { ok, size } = representation;
  return { head: ok, length: size, segments: [{ first: 0, last: size - 1 }] };
}

/**
 * 206 for one range (RFC 9110 section 15.3.7.1) or several (15.3.7.2, `multipart/byteranges`).
 * @param contentType of each of several parts, when it is not that of the file
 */
export function partOfFile(
  representation: Divisible,
  ranges: readonly ByteRange[],
  contentType: string = representation.contentType,
): FileResponse {
  const [only] = ranges;
  if (ranges.length !== 1 || only === undefined) return severalParts(representation, ranges, contentType);
  const contentRange = contentRangeOf(only, representation.size);
  const head = representation.head('206 Partial Content', [['Content-Range', contentRange]]);
  return { head, length: rangesLength(ranges), segments: [only] };
}

/** `\r\nContent-Range: …` for a 416, which says how long the file is. */
export function unsatisfiedRangeLine({ size }: Pick<Divisible, 'size'>): Buffer {
  return Buffer.from(`\r\nContent-Range: bytes */${size}`, 'latin1');
}

function severalParts(representation: Divisible, ranges: readonly ByteRange[], partType: string): FileResponse {
  // Random, so that nothing in a file can be made to look like the end of a part.
  const boundary = randomBytes(18).toString('hex');
  const segments: BodySegment[] = [];
  let length = rangesLength(ranges);
  const add = (text: string): void => {
    const bytes = Buffer.from(text, 'latin1');
    length += bytes.length;
    segments.push(bytes);
  };
  for (const range of ranges) {
    const contentRange = contentRangeOf(range, representation.size);
    const start = segments.length === 0 ? '' : '\r\n';
    add(`${start}--${boundary}\r\nContent-Type: ${partType}\r\nContent-Range: ${contentRange}\r\n\r\n`);
    segments.push(range);
  }
  add(`\r\n--${boundary}--\r\n`);
  const contentType = `multipart/byteranges; boundary=${boundary}`;
  return { head: representation.head('206 Partial Content', [], contentType), length, segments };
}

function contentRangeOf({ first, last }: ByteRange, size: number): string {
  return `bytes ${first}-${last}/${size}`;
}
