/*
 * Strict checks on what a request says about itself. Whatever two parsers could read differently is refused, because the
 * server in front of us or behind us may be the other parser (request smuggling; RFC 9112 section 11.2).
 */

/** How a request's body is delimited. */
export interface Framing {
  /** Bytes of body; 0 for none; undefined when it comes chunked. */
  readonly length: number | undefined;
  /** Whether the client wants the connection closed behind the response. */
  readonly close: boolean;
  /** Whether Expect holds something other than 100-continue. */
  readonly unknownExpectation: boolean;
  /** Whether there is an Upgrade field. */
  readonly upgrade: boolean;
  /** The Host field in lower case. */
  readonly host: string;
}

const noBody = { length: 0, close: false, unknownExpectation: false, upgrade: false };

// RFC 9110 section 5.6.2.
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// RFC 9110 section 7.8: protocols, each with an optional version.
const protocols =
  /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:\/[!#$%&'*+\-.^_`|~0-9A-Za-z]+)?(?:[ \t]*,[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:\/[!#$%&'*+\-.^_`|~0-9A-Za-z]+)?)*$/;
const digits = /^[0-9]{1,15}$/;
// RFC 9110 section 7.2, with the host narrowed to names (also with underscores, as container names have) and addresses: no user information, no escapes.
const hostAndPort = /^(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::([0-9]{0,5}))?$/;
// Origin-form (RFC 9112 section 3.2.1): visible ASCII, without the fragment that a request never has.
const target = /^\/[\x21\x22\x24-\x7e]*$/;
const closeOption = /(?:^|,)[ \t]*close[ \t]*(?:,|$)/i;

/** @returns whether the method is a token; uWebSockets.js lets anything through. */
export function isMethod(method: string): boolean {
  return method === 'GET' || token.test(method);
}

/** @returns whether the target is in origin-form. */
export function isOriginForm(text: string): boolean {
  return target.test(text);
}

/**
 * Reads what the fields say about body, host and connection.
 * @param entries `[name, value, …]`, names in lower case
 * @returns the framing, or what is wrong as a sentence for the log
 */
export function readFraming(entries: readonly string[]): Framing | string {
  let host: string | undefined;
  let length: string | undefined;
  let coding: string | undefined;
  let close = false;
  let unknownExpectation = false;
  let upgrade = false;
  for (let index = 0; index < entries.length; index += 2) {
    const value = entries[index + 1] as string;
    switch (entries[index]) {
      case 'host':
        if (host !== undefined) return 'two Host fields';
        host = value.toLowerCase();
        break;
      case 'content-length':
        if (length !== undefined) return 'two Content-Length fields';
        length = value;
        break;
      case 'transfer-encoding':
        if (coding !== undefined) return 'two Transfer-Encoding fields';
        coding = value;
        break;
      case 'connection':
        if (value !== 'keep-alive') close ||= closeOption.test(value);
        break;
      case 'expect':
        unknownExpectation ||= value.toLowerCase() !== '100-continue';
        break;
      case 'upgrade':
        if (!protocols.test(value)) return 'an Upgrade field that names no protocol';
        upgrade = true;
        break;
      default:
    }
  }
  if (host === undefined || !isHost(host)) return 'no valid Host field';
  if (length === undefined && coding === undefined && !close && !unknownExpectation && !upgrade)
    return { ...noBody, host };
  const bodyLength = readLength(length, coding);
  if (typeof bodyLength === 'string') return bodyLength;
  return { length: bodyLength.length, close, unknownExpectation, upgrade, host };
}

function readLength(length: string | undefined, coding: string | undefined): { length: number | undefined } | string {
  if (coding !== undefined) {
    if (length !== undefined) return 'Content-Length beside Transfer-Encoding';
    // Other codings are not undone here, and the server behind would see the body without them.
    return coding.toLowerCase() === 'chunked' ? { length: undefined } : 'a Transfer-Encoding other than chunked';
  }
  if (length === undefined) return { length: 0 };
  return digits.test(length) ? { length: Number(length) } : 'a Content-Length that is not a number';
}

/** @param host in lower case */
export function isHost(host: string): boolean {
  const match = hostAndPort.exec(host);
  if (match === null) return false;
  return match[1] === undefined || Number(match[1]) <= 65_535;
}
