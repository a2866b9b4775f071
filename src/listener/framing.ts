/*
 * Strict checks on what a request says about itself. Whatever two parsers could read differently is refused, because the
 * server in front of us or behind us may be the other parser (request smuggling; RFC 9112 section 11.2).
 */

import type { HostNames } from './host-names.ts';

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

// RFC 9110 section 5.6.2.
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// RFC 9110 section 7.8: protocols, each with an optional version.
const protocols =
  /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:\/[!#$%&'*+\-.^_`|~0-9A-Za-z]+)?(?:[ \t]*,[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:\/[!#$%&'*+\-.^_`|~0-9A-Za-z]+)?)*$/;
const digits = /^[0-9]{1,15}$/;
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
 * @param hosts   knows the hosts that were asked for before
 * @returns the framing, or what is wrong as a sentence for the log
 */
export function readFraming(entries: readonly string[], hosts: HostNames): Framing | string {
  let host: string | undefined;
  let length: string | undefined;
  let coding: string | undefined;
  let close = false;
  let unknownExpectation = false;
  let upgrade = false;
  for (let index = 0; index < entries.length; index += 2) {
    const name = entries[index] as string;
    // Most fields are told apart by the length of their names alone, which costs less than to compare them.
    switch (name.length) {
      case 4:
        if (name !== 'host') break;
        if (host !== undefined) return 'two Host fields';
        host = entries[index + 1] as string;
        break;
      case 14:
        if (name !== 'content-length') break;
        if (length !== undefined) return 'two Content-Length fields';
        length = entries[index + 1] as string;
        break;
      case 17:
        if (name !== 'transfer-encoding') break;
        if (coding !== undefined) return 'two Transfer-Encoding fields';
        coding = entries[index + 1] as string;
        break;
      case 10:
        if (name === 'connection') close ||= saysClose(entries[index + 1] as string);
        break;
      case 6:
        if (name === 'expect') unknownExpectation ||= (entries[index + 1] as string).toLowerCase() !== '100-continue';
        break;
      case 7:
        if (name !== 'upgrade') break;
        if (!protocols.test(entries[index + 1] as string)) return 'an Upgrade field that names no protocol';
        upgrade = true;
        break;
      default:
    }
  }
  const hostName = host === undefined ? undefined : hosts.nameOf(host);
  if (hostName === undefined) return 'no valid Host field';
  if (length === undefined && coding === undefined) {
    return { length: 0, close, unknownExpectation, upgrade, host: hostName };
  }
  const bodyLength = readLength(length, coding);
  if (typeof bodyLength === 'string') return bodyLength;
  return { length: bodyLength.length, close, unknownExpectation, upgrade, host: hostName };
}

function saysClose(connection: string): boolean {
  return connection !== 'keep-alive' && closeOption.test(connection);
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
