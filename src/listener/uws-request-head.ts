import { HeaderFields } from '../http/header-fields.ts';
import type { RequestHead } from '../request/request-head.ts';
import { PorticoError } from '../response/portico-error.ts';
import { isMethod, isOriginForm, readFraming } from './framing.ts';
import type { UwsRequest } from './uws-api.ts';
import type { WebSocketRequest } from './websocket.ts';
import { readWebSocketRequest } from './websocket-handshake.ts';

/** A request's head, and what the engine has to know to read on and to answer. */
export class UwsRequestHead implements RequestHead {
  readonly method: string;
  readonly target: string;
  readonly rawPath: string;
  readonly query: string | undefined;
  readonly fields: HeaderFields;
  host = '';
  /** Bytes of body; 0 for none; undefined when it comes chunked. */
  bodyLength: number | undefined = 0;
  /** Whether the connection must be closed behind the response. */
  close = false;
  /** What the client asks for when it wants a WebSocket. */
  webSocketRequest: WebSocketRequest | undefined;
  /** Why the request is refused. */
  refusal: PorticoError | undefined;

  constructor(method: string, rawPath: string, query: string | undefined, fields: HeaderFields) {
    this.method = method;
    this.rawPath = rawPath;
    this.query = query;
    this.target = query === undefined ? rawPath : `${rawPath}?${query}`;
    this.fields = fields;
  }
}

const notAscii = /[^\0-\x7f]/;

/**
 * Copies requests out of uWebSockets.js, whose own view of them dies when the callback returns, and checks them. One for
 * an engine, so that reading takes no closure.
 */
export class UwsRequestReader {
  #entries: string[] = [];
  #doubtful = false;

  readonly #collect = (name: string, value: string): void => {
    this.#entries.push(name, value);
    if (notAscii.test(value)) this.#doubtful = true;
  };

  read(request: UwsRequest): UwsRequestHead {
    const method = request.getCaseSensitiveMethod();
    this.#entries = [];
    this.#doubtful = false;
    request.forEach(this.#collect);
    const entries = this.#entries;
    const head = new UwsRequestHead(method, request.getUrl(), request.getQuery(), new HeaderFields(entries));
    const lost = this.#doubtful ? restoreBytes(entries, request) : undefined;
    head.refusal = lost === undefined ? check(head) : new PorticoError('request_malformed', lost);
    return head;
  }
}

/**
 * Puts Latin-1 strings, one character a byte, in the place of values that were decoded as UTF-8.
 * @returns what cannot be restored: a field that comes twice, as only the first can be read without loss
 */
function restoreBytes(entries: string[], request: UwsRequest): string | undefined {
  for (let index = 1; index < entries.length; index += 2) {
    if (!notAscii.test(entries[index] as string)) continue;
    const name = entries[index - 1] as string;
    if (count(entries, name) > 1) return `two ${name} fields with bytes beyond ASCII`;
    entries[index] = request.getHeader(name);
  }
  return undefined;
}

function count(entries: readonly string[], name: string): number {
  let found = 0;
  for (let index = 0; index < entries.length; index += 2) if (entries[index] === name) found += 1;
  return found;
}

function check(head: UwsRequestHead): PorticoError | undefined {
  if (!isMethod(head.method)) return malformed('a method that is not a token');
  if (!isOriginForm(head.target)) return malformed('a target with bytes that must be escaped, or a fragment');
  const framing = readFraming(head.fields.entries);
  if (typeof framing === 'string') return malformed(framing);
  head.host = framing.host;
  head.bodyLength = framing.length;
  head.close = framing.close;
  if (framing.unknownExpectation) {
    return new PorticoError('expectation_failed', `Expect: ${head.fields.get('expect')}`);
  }
  if (!framing.upgrade) return undefined;
  const asked = readWebSocketRequest(head);
  if (asked instanceof PorticoError) return asked;
  head.webSocketRequest = asked;
  return undefined;
}

function malformed(detail: string): PorticoError {
  return new PorticoError('request_malformed', detail);
}
