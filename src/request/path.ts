import { isUtf8 } from 'node:buffer';

const slash = 0x2f;
const dot = 0x2e;
const percent = 0x25;
const backslash = 0x5c;
const fragment = 0x23;
const space = 0x20;
const del = 0x7f;

/**
 * The path that routes and files are looked up by: percent escapes decoded once (as UTF-8 where that is what the bytes
 * are, else one character a byte), dot segments resolved, double slashes merged.
 *
 * Refused is what other programs could read differently: an encoded slash, a backslash in any spelling, a control
 * character, a broken escape, and dot segments that leave the root.
 *
 * @returns undefined when the path is refused
 */
export function normalizePath(rawPath: string): string | undefined {
  return isPlain(rawPath) ? rawPath : normalizeBytes(rawPath);
}

/**
 * Whether normalising would change nothing, and nothing is in it that a request line may not hold. True for nearly every
 * request, so it only looks.
 */
export function isPlain(rawPath: string): boolean {
  let previous = 0;
  for (let index = 0; index < rawPath.length; index++) {
    const code = rawPath.charCodeAt(index);
    if (code <= space || code >= del || code === percent || code === backslash || code === fragment) return false;
    // A segment that is empty, or begins with a dot.
    if (previous === slash && (code === slash || code === dot)) return false;
    previous = code;
  }
  return rawPath.charCodeAt(0) === slash;
}

/** The general case: one pass that decodes and takes segments back as dot segments demand. */
function normalizeBytes(rawPath: string): string | undefined {
  if (rawPath.charCodeAt(0) !== slash) return undefined;
  const out = Buffer.allocUnsafe(rawPath.length);
  out[0] = slash;
  let length = 1;
  let segmentStart = 1;
  for (let index = 1; index < rawPath.length; index++) {
    const code = rawPath.charCodeAt(index);
    if (code === slash) {
      const end = closeSegment(out, segmentStart, length);
      if (end === undefined) return undefined;
      // An empty segment, or one that went away, has its slash already.
      length = end;
      if (out[length - 1] !== slash) out[length++] = slash;
      segmentStart = length;
      continue;
    }
    const byte = code === percent ? escapedByte(rawPath, index) : code;
    if (code === percent) index += 2;
    if (byte === undefined || isRefused(byte)) return undefined;
    out[length++] = byte;
  }
  const end = closeSegment(out, segmentStart, length);
  if (end === undefined) return undefined;
  const bytes = out.subarray(0, end);
  return isUtf8(bytes) ? bytes.toString('utf8') : bytes.toString('latin1');
}

/**
 * Ends the segment that stands in `out` from `start` to `end`.
 * @returns the length of `out` after it: shorter when it was a dot segment; undefined when that left the root
 */
function closeSegment(out: Buffer, start: number, end: number): number | undefined {
  if (out[start] !== dot || end === start) return end;
  if (end - start === 1) return start;
  if (end - start !== 2 || out[start + 1] !== dot) return end;
  if (start === 1) return undefined;
  return out.lastIndexOf(slash, start - 2) + 1;
}

/** A byte that may not stand in a path once decoded. A slash can only come here out of an escape. */
function isRefused(byte: number): boolean {
  return byte < space || byte === del || byte === slash || byte === backslash || byte > 0xff;
}

function escapedByte(text: string, at: number): number | undefined {
  const high = hexDigit(text.charCodeAt(at + 1));
  const low = hexDigit(text.charCodeAt(at + 2));
  // charCodeAt gives NaN behind the end, which is no digit.
  return high < 0 || low < 0 ? undefined : high * 16 + low;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
