/*
 * A strict parser of HTTP/1 requests, written from RFC 9112 with regular expressions over the whole text: nothing of it is
 * shared with Portico's own, which go byte by byte. What the RFC leaves open is decided as docs/operations.md says.
 */

/** A request as the strict parser reads it. Texts are Latin-1: one character a byte. */
export interface StrictRequest {
  readonly method: string;
  /** In origin-form. */
  readonly target: string;
  readonly minorVersion: number;
  /** Of the target when it is absolute, else of Host; undefined where HTTP/1.0 says none. */
  readonly host: string | undefined;
  readonly fields: readonly StrictField[];
  readonly body: string;
  /** Whether the connection ends behind it. */
  readonly close: boolean;
  /** Whether it is answered with 400 for its path, and the connection goes on: it is clear where the request ends. */
  readonly badPath: boolean;
}

/** Name in lower case, and value. */
export type StrictField = readonly [name: string, value: string];

/** What becomes of everything that comes on a connection. */
export interface StrictReading {
  /** In order; the first of them that says so is the last. */
  readonly requests: readonly StrictRequest[];
  /** What stands behind the last request. */
  readonly rest: 'nothing' | 'incomplete' | 'refused' | 'not wanted';
  /** Why it is refused. */
  readonly why: string;
  /** A request whose head is good, with a body that is not, or not whole; its own is left empty. */
  readonly begun: StrictRequest | undefined;
}

type Reading =
  | { readonly request: StrictRequest; readonly end: number }
  | { readonly refused: string | undefined; readonly begun?: StrictRequest };
const incomplete: Reading = { refused: undefined };

const token = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
const requestLine = new RegExp(`^(${token}) ([\\x21-\\x7e]+) HTTP/1\\.([01])$`);
const fieldLine = new RegExp(
  `^(${token}):[ \\t]*((?:[\\x21-\\x7e\\x80-\\xff](?:[\\t\\x20-\\x7e\\x80-\\xff]*[\\x21-\\x7e\\x80-\\xff])?)?)[ \\t]*$`,
);
const absolute = /^https?:\/\/([^/?]*)(.*)$/i;
const hostName = /^(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{0,5}))?$/;
const protocol = new RegExp(`^${token}(?:/${token})?(?:[ \\t]*,[ \\t]*${token}(?:/${token})?)*$`);
const quoted = '"(?:[\\t\\x20\\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t\\x20-\\x7e\\x80-\\xff])*"';
const chunkLine = new RegExp(`^([0-9A-Fa-f]{1,13})((?:;${token}(?:=(?:${token}|${quoted}))?)*)$`);
const mostBody = 100 * 1024 ** 2;
const mostFields = 98;
const mostExtension = 1024;

/**
 * Reads everything that a client sent on a connection.
 * @param heedsClose whether nothing is read behind a request that ends the connection
 */
export function readStrictly(text: string, heedsClose = true): StrictReading {
  const requests: StrictRequest[] = [];
  let position = 0;
  for (;;) {
    if (position === text.length) return { requests, rest: 'nothing', why: '', begun: undefined };
    const reading = readRequest(text, position);
    if ('refused' in reading) {
      const { refused, begun } = reading;
      return { requests, rest: refused === undefined ? 'incomplete' : 'refused', why: refused ?? '', begun };
    }
    requests.push(reading.request);
    position = reading.end;
    if (heedsClose && reading.request.close && position < text.length) {
      return { requests, rest: 'not wanted', why: '', begun: undefined };
    }
  }
}

function readRequest(text: string, from: number): Reading {
  // RFC 9112 section 2.2: one empty line in front.
  const start = text.startsWith('\r\n', from) ? from + 2 : from;
  if (start === text.length) return incomplete;
  const headEnd = text.indexOf('\r\n\r\n', start);
  if (headEnd < 0) return incomplete;
  const [first = '', ...lines] = text.slice(start, headEnd).split('\r\n');
  const line = requestLine.exec(first);
  if (line === null) return { refused: 'request line' };
  const fields: StrictField[] = [];
  for (const each of lines) {
    const field = fieldLine.exec(each);
    if (field === null) return { refused: 'field' };
    fields.push([(field[1] as string).toLowerCase(), field[2] as string]);
  }
  if (fields.length > mostFields) return { refused: 'too many fields' };
  return withBody(text, headEnd + 4, line, fields);
}

function withBody(text: string, bodyStart: number, line: RegExpExecArray, fields: readonly StrictField[]): Reading {
  const [, method = '', written = '', minor] = line;
  const minorVersion = Number(minor);
  const url = written.startsWith('/') ? null : absolute.exec(written);
  const target = url === null ? written : url[2]?.startsWith('/') === true ? url[2] : `/${url[2] ?? ''}`;
  const fault =
    targetFault(target) ?? (url === null ? undefined : hostFault(url[1] ?? '')) ?? fieldsFault(fields, minorVersion);
  if (fault !== undefined) return { refused: fault };
  const host = url?.[1] ?? valuesOf(fields, 'host')[0];
  const options = valuesOf(fields, 'connection').flatMap((value) => value.toLowerCase().split(/[ \t]*,[ \t]*/));
  const close = options.includes('close') || (minorVersion === 0 && !options.includes('keep-alive'));
  const head = { method, target, minorVersion, host: host?.toLowerCase(), fields, close, badPath: isBadPath(target) };
  const begun = { ...head, body: '' };
  if (valuesOf(fields, 'transfer-encoding').length > 0) {
    const chunks = readChunks(text, bodyStart);
    if (typeof chunks === 'string') return { refused: chunks === 'incomplete' ? undefined : chunks, begun };
    return { request: { ...head, body: chunks.body }, end: chunks.end };
  }
  const length = Number(valuesOf(fields, 'content-length')[0] ?? 0);
  if (length > mostBody) return { refused: 'body too large' };
  const end = bodyStart + length;
  return end > text.length
    ? { refused: undefined, begun }
    : { request: { ...head, body: text.slice(bodyStart, end) }, end };
}

function valuesOf(fields: readonly StrictField[], wanted: string): string[] {
  return fields.filter(([name]) => name === wanted).map(([, value]) => value);
}

export function hostFault(host: string): string | undefined {
  const match = hostName.exec(host);
  return match === null || Number(match[1] ?? 0) > 65_535 ? 'host' : undefined;
}

/** In origin-form, without a fragment. */
export function targetFault(target: string): string | undefined {
  return /^\/[\x21\x22\x24-\x7e]*$/.test(target) ? undefined : 'target';
}

/** Whether a path does not lead somewhere within the site in every program's reading. */
export function isBadPath(target: string): boolean {
  const path = target.split('?', 1)[0] as string;
  if (/%(?![0-9A-Fa-f]{2})/.test(path)) return true;
  let depth = 0;
  for (const segment of path.split('/')) {
    const decoded = segment.replaceAll(/%(..)/g, (_all, digits: string) =>
      String.fromCharCode(Number.parseInt(digits, 16)),
    );
    // oxlint-disable-next-line no-control-regex
    if (/[\0-\x1f\x7f/\\]/.test(decoded)) return true;
    if (decoded === '..') depth -= 1;
    else if (decoded !== '' && decoded !== '.') depth += 1;
    if (depth < 0) return true;
  }
  return false;
}

/** Body, host and connection, each said in one way only. */
export function fieldsFault(fields: readonly StrictField[], minorVersion: number): string | undefined {
  const hosts = valuesOf(fields, 'host');
  const lengths = valuesOf(fields, 'content-length');
  const codings = valuesOf(fields, 'transfer-encoding');
  if (hosts.length > 1 || (hosts.length === 0 && minorVersion === 1)) return 'hosts';
  if (hosts[0] !== undefined && hostFault(hosts[0]) !== undefined) return 'host';
  if (lengths.length + codings.length > 1) return 'framing';
  if (lengths[0] !== undefined && !/^\d{1,15}$/.test(lengths[0])) return 'length';
  if (codings[0] !== undefined && (codings[0].toLowerCase() !== 'chunked' || minorVersion === 0)) return 'coding';
  if (!valuesOf(fields, 'upgrade').every((value) => protocol.test(value))) return 'upgrade';
  if (!valuesOf(fields, 'expect').every((value) => value.toLowerCase() === '100-continue')) return 'expectation';
  return undefined;
}

/** A chunked body (RFC 9112 section 7.1), without blanks in its lines. @returns what is wrong, or `incomplete` */
function readChunks(text: string, from: number): { body: string; end: number } | string {
  let body = '';
  let position = from;
  for (;;) {
    const lineEnd = text.indexOf('\r\n', position);
    const line = lineEnd < 0 ? null : chunkLine.exec(text.slice(position, lineEnd));
    if (lineEnd < 0) return 'incomplete';
    if (line === null || (line[2] ?? '').length > mostExtension) return 'chunk line';
    const size = Number.parseInt(line[1] as string, 16);
    position = lineEnd + 2;
    if (size === 0) return readTrailers(text, position, body);
    if (position + size + 2 > text.length) {
      const behind = text.slice(position + size, position + size + 2);
      return '\r\n'.startsWith(behind) ? 'incomplete' : 'chunk end';
    }
    body += text.slice(position, position + size);
    position += size + 2;
    if (text.slice(position - 2, position) !== '\r\n') return 'chunk end';
  }
}

function readTrailers(text: string, from: number, body: string): { body: string; end: number } | string {
  let position = from;
  for (;;) {
    const lineEnd = text.indexOf('\r\n', position);
    if (lineEnd < 0) return 'incomplete';
    const line = text.slice(position, lineEnd);
    position = lineEnd + 2;
    if (line === '') return { body, end: position };
    if (!fieldLine.test(line)) return 'trailer';
  }
}
