import { connectionFields } from '../http/hop-by-hop.ts';
import { type ResponseHead, responseHead } from '../response/response-head.ts';

/** A request as the WebSocket library sends it. */
export interface HandshakeRequest {
  /** Byte for byte as the client sent it, or what the route makes of it. */
  readonly target: string;
  readonly fields: Record<string, string>;
}

/** Written by the library that makes the handshake. Extensions are a matter of each connection: none are used upstream. */
const ownRequestFields = new Set([
  'connection',
  'sec-websocket-accept',
  'sec-websocket-extensions',
  'sec-websocket-key',
  'sec-websocket-version',
]);

/** Hop-by-hop fields, framing, the handshake's own, and instructions for a proxy that has nothing to do with them here. */
const droppedResponseFields = new Set([
  ...connectionFields,
  'content-length',
  'date',
  'sec-websocket-accept',
  'sec-websocket-extensions',
  'sec-websocket-protocol',
  'x-accel-buffering',
  'x-accel-charset',
  'x-accel-expires',
  'x-accel-limit-rate',
  'x-accel-redirect',
  'x-sendfile',
]);

/**
 * Takes a request head apart that was written for the wire.
 * @param head request line and fields, as Latin-1
 */
export function readRequestHead(head: string): HandshakeRequest {
  const [requestLine = '', ...lines] = head.split('\r\n');
  const fields: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(': ');
    const name = line.slice(0, colon);
    const key = name.toLowerCase();
    if (colon <= 0 || ownRequestFields.has(key)) continue;
    const value = line.slice(colon + 2);
    const former = fields[name];
    // RFC 6265 section 5.4 for cookies, RFC 9110 section 5.3 for the others.
    fields[name] = former === undefined ? value : `${former}${key === 'cookie' ? '; ' : ', '}${value}`;
  }
  return { target: requestLine.split(' ')[1] ?? '/', fields };
}

/**
 * The head of what the client gets for an answer of the server.
 * @param rawFields name and value in turn, as Latin-1
 * @param removed   names in lower case that the route takes out
 */
export function clientResponseHead(
  status: number,
  rawFields: readonly string[],
  removed: ReadonlySet<string>,
): ResponseHead {
  const fields: [string, string][] = [];
  for (let index = 0; index < rawFields.length; index += 2) {
    const name = rawFields[index] as string;
    const key = name.toLowerCase();
    if (droppedResponseFields.has(key) || removed.has(key) || key.startsWith('proxy-')) continue;
    fields.push([name, rawFields[index + 1] as string]);
  }
  return responseHead(status, fields);
}
