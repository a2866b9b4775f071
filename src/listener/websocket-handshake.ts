import { listElements, listNames } from '../http/list-elements.ts';
import type { RequestHead } from '../request/request-head.ts';
import { PorticoError } from '../response/portico-error.ts';
import type { WebSocketRequest } from './websocket.ts';

// 16 bytes in base64.
const key = /^[A-Za-z0-9+/]{22}==$/;
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const versionFields = Buffer.from(
  '\r\nSec-WebSocket-Version: 13\r\nUpgrade: websocket\r\nConnection: Upgrade',
  'latin1',
);

/** What of a request's framing decides on a WebSocket. */
interface RequestFraming {
  /** Bytes of body; undefined when it comes chunked. */
  readonly bodyLength: number | undefined;
  /** Whether the client wants the connection closed behind the response. */
  readonly close: boolean;
}

/**
 * Checks a client's opening handshake (RFC 6455 section 4.2.1).
 * @returns undefined when it asks for no WebSocket; the error when it does, in a way that is none
 */
export function readWebSocketRequest(
  head: Pick<RequestHead, 'method' | 'fields'> & RequestFraming,
): WebSocketRequest | PorticoError | undefined {
  const { fields } = head;
  if (head.method !== 'GET' || head.close) return undefined;
  if (!listNames(fields.list('upgrade'), 'websocket') || !listNames(fields.list('connection'), 'upgrade'))
    return undefined;
  if (head.bodyLength !== 0) return new PorticoError('request_malformed', 'a WebSocket handshake with a body');
  const offer = readWebSocketOffer(fields);
  if (offer instanceof PorticoError || key.test(fields.list('sec-websocket-key') ?? '')) return offer;
  return new PorticoError('request_malformed', 'a Sec-WebSocket-Key that is not 16 bytes in base64');
}

/** What a handshake offers, in whatever version of HTTP: in HTTP/2 there is no more to it (RFC 8441 section 5). */
export function readWebSocketOffer(fields: RequestHead['fields']): WebSocketRequest | PorticoError {
  if (fields.list('sec-websocket-version')?.trim() !== '13') {
    const detail = `Sec-WebSocket-Version: ${fields.list('sec-websocket-version') ?? ''}`;
    return new PorticoError('websocket_version', detail, { fields: versionFields });
  }
  const protocols = listElements(fields.list('sec-websocket-protocol'));
  if (protocols.every((protocol) => token.test(protocol)) && new Set(protocols).size === protocols.length) {
    return { protocols };
  }
  return new PorticoError('request_malformed', 'a Sec-WebSocket-Protocol that is no list of different tokens');
}
