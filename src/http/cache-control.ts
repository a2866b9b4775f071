/** A member of a Cache-Control field (RFC 9111 section 5.2). */
export interface CacheDirective {
  /** In lower case. */
  readonly name: string;
  /** What stands behind `=`, without quotes and escapes; undefined where there is no `=`. */
  readonly value: string | undefined;
  /** Whether it breaks the grammar. Its name counts all the same, because ignoring `no-store` is worse than obeying it. */
  readonly malformed: boolean;
}

const comma = 0x2c;
const equals = 0x3d;
const quote = 0x22;
const backslash = 0x5c;

/**
 * Reads the value of a Cache-Control field, or several joined by commas, in one pass. Nothing is refused: empty members are
 * passed over, and behind a broken member it goes on with the next comma, also when a quote was never closed, so that
 * nothing can hide the directives behind it.
 */
export function parseCacheControl(field: string): CacheDirective[] {
  const directives: CacheDirective[] = [];
  const end = field.length;
  let at = 0;
  while (at < end) {
    const code = field.charCodeAt(at);
    if (code === comma || isBlank(code)) {
      at++;
      continue;
    }
    const nameStart = at;
    while (at < end && !endsName(field.charCodeAt(at))) at++;
    const name = field.slice(nameStart, at).toLowerCase();
    if (field.charCodeAt(at) === equals) {
      at = readArgument(field, at + 1, name, directives);
    } else {
      const next = memberEnd(field, at);
      directives.push({ name, value: undefined, malformed: !blankBetween(field, at, next) });
      at = next;
    }
  }
  return directives;
}

/** Reads the argument that begins at `start`. @returns the position of the comma behind it, or the end */
function readArgument(field: string, start: number, name: string, directives: CacheDirective[]): number {
  if (field.charCodeAt(start) === quote) {
    const close = closingQuote(field, start + 1);
    if (close >= 0) {
      const end = memberEnd(field, close + 1);
      const value = unescape(field.slice(start + 1, close));
      directives.push({ name, value, malformed: !blankBetween(field, close + 1, end) });
      return end;
    }
  }
  const end = memberEnd(field, start);
  const value = field.slice(start, end).trimEnd();
  directives.push({ name, value, malformed: !isToken(value) });
  return end;
}

/** The position of the quote that closes a quoted-string, or -1. */
function closingQuote(field: string, start: number): number {
  for (let at = start; at < field.length; at++) {
    const code = field.charCodeAt(at);
    if (code === quote) return at;
    if (code === backslash) at++;
  }
  return -1;
}

function unescape(text: string): string {
  let at = text.indexOf('\\');
  if (at < 0) return text;
  let plain = '';
  let from = 0;
  while (at >= 0) {
    plain += text.slice(from, at);
    from = at + 1;
    at = text.indexOf('\\', from + 1);
  }
  return plain + text.slice(from);
}

function memberEnd(field: string, start: number): number {
  const end = field.indexOf(',', start);
  return end < 0 ? field.length : end;
}

function blankBetween(field: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (!isBlank(field.charCodeAt(at))) return false;
  return true;
}

function isToken(value: string): boolean {
  if (value === '') return false;
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code <= 0x20 || code >= 0x7f || delimiters.includes(value.charAt(at))) return false;
  }
  return true;
}

/** What no token may hold (RFC 9110 section 5.6.2). */
const delimiters = '"(),/:;<=>?@[\\]{}';

function endsName(code: number): boolean {
  return code === comma || code === equals || isBlank(code);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
