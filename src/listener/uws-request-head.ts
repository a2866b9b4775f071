// The global of that name is looked up by a call each time.
import { Buffer } from 'node:buffer';
import { HeaderFields } from '../http/header-fields.ts';
import type { RequestHead } from '../request/request-head.ts';
import { PorticoError } from '../response/portico-error.ts';
import { isMethod, isOriginForm, readFraming } from './framing.ts';
import { GlanceForecast } from './glance-forecast.ts';
import { HostNames } from './host-names.ts';
import type { UwsRequest } from './uws-api.ts';
import type { WebSocketRequest } from './websocket.ts';
import { readWebSocketRequest } from './websocket-handshake.ts';

/**
 * A request's head, and what the engine has to know to read on and to answer. One that a glance may answer stays in the
 * memory of uWebSockets.js, and is copied out of it only as far as somebody asks, until `keep` or `release`.
 */
export class UwsRequestHead implements RequestHead {
  readonly method: string;
  readonly rawPath: string;
  host: string;
  /** Bytes of body; 0 for none; undefined when it comes chunked. */
  bodyLength: number | undefined = 0;
  /** Whether the connection must be closed behind the response. */
  close = false;
  /** What the client asks for when it wants a WebSocket. */
  webSocketRequest: WebSocketRequest | undefined = undefined;
  /** Why the request is refused. */
  refusal: PorticoError | undefined = undefined;
  /** Undefined when it is dead, or not needed any more. */
  private request: UwsRequest | undefined;
  private knownQuery: string | undefined = undefined;
  private knownFields: HeaderFields | undefined = undefined;
  private readonly reader: UwsRequestReader;

  constructor(reader: UwsRequestReader, request: UwsRequest, method: string, path: string, host: string) {
    this.method = method;
    this.rawPath = path;
    this.host = host;
    this.request = request;
    this.reader = reader;
  }

  get query(): string | undefined {
    return this.request === undefined ? this.knownQuery : this.request.getQuery();
  }

  get target(): string {
    const { query, rawPath } = this;
    return query === undefined ? rawPath : `${rawPath}?${query}`;
  }

  get fields(): HeaderFields {
    return (this.knownFields ??= this.readFields());
  }

  peek(name: string): string | undefined {
    const { request } = this;
    if (request === undefined || this.knownFields !== undefined) return this.fields.peek(name);
    const value = request.getHeader(nameBytes.get(name) ?? name);
    return value === '' ? undefined : value;
  }

  /** Copies everything while that is possible. What is not checked stays so. */
  keep(): void {
    const { request } = this;
    if (request === undefined) return;
    this.knownFields ??= this.readFields();
    this.knownQuery = request.getQuery();
    this.request = undefined;
  }

  /** Copies everything and checks it; `refusal` says what is wrong. */
  readWhole(): void {
    this.keep();
    this.refusal ??= this.reader.check(this);
  }

  /** Lets go of what is not copied: the request has been answered. */
  release(): void {
    this.request = undefined;
  }

  private readFields(): HeaderFields {
    const { reader, request } = this;
    if (request === undefined) return new HeaderFields();
    const fields = reader.readFields(request);
    if (reader.lost !== undefined) this.refusal = malformed(reader.lost);
    return fields;
  }
}

/** Of the fields that are peeked at most often. */
const nameBytes: ReadonlyMap<string, ArrayBuffer> = new Map(
  [
    'accept-encoding',
    'authorization',
    'cookie',
    'if-match',
    'if-modified-since',
    'if-none-match',
    'if-unmodified-since',
    'range',
    'referer',
    'user-agent',
  ].map((name) => [name, toBytes(name)]),
);
const names = {
  connection: toBytes('connection'),
  contentLength: toBytes('content-length'),
  forwarded: toBytes('forwarded'),
  forwardedFor: toBytes('x-forwarded-for'),
  host: toBytes('host'),
  transferEncoding: toBytes('transfer-encoding'),
  via: toBytes('via'),
};

/** In memory of its own, which is what uWebSockets.js looks at fastest. */
function toBytes(text: string): ArrayBuffer {
  const bytes = new ArrayBuffer(text.length);
  Buffer.from(bytes).write(text, 'latin1');
  return bytes;
}

const notAscii = /[^\0-\x7f]/;

/**
 * Reads requests of uWebSockets.js, whose own view of them dies when the callback returns, and checks them. One for an
 * engine, so that reading takes no closure.
 */
export class UwsRequestReader {
  /** What of the fields read last could not be read without loss, or may not be there, as a sentence for the log. */
  lost: string | undefined = undefined;
  #entries: string[] = [];
  #doubtful = false;
  #hasDelete = false;
  readonly #hosts = new HostNames();
  readonly #forecast = new GlanceForecast();
  /** The path of the request that is read next, if it is known already. */
  #notGlanced: string | undefined = undefined;

  readonly #collect = (name: string, value: string): void => {
    this.#entries.push(name, value);
    // More bytes than characters: not ASCII. Half the cost of a regular expression, which is used where it matters less.
    if (Buffer.byteLength(value) !== value.length) this.#doubtful = true;
    // The one control character that uWebSockets.js lets through.
    if (value.includes('\x7f')) this.#hasDelete = true;
  };

  /**
   * The head copied and checked whole.
   * @param method what is known of it already
   */
  read(request: UwsRequest, method: string = request.getCaseSensitiveMethod()): UwsRequestHead {
    const path = this.#notGlanced ?? request.getUrl();
    this.#notGlanced = undefined;
    const head = new UwsRequestHead(this, request, method, path, '');
    head.readWhole();
    return head;
  }

  /**
   * The head with nothing read but what decides whether a glance may answer.
   *
   * A second field of a name cannot be seen here. Behind an empty first Content-Length or Transfer-Encoding, one could
   * make the native parser end the request where others do not. That deceives nobody but the client itself, as long as
   * the connection is its own: whoever speaks for others says so, and is read whole.
   * @param method what is known of it already
   * @returns undefined when the request must be read whole before anybody sees it
   */
  glance(request: UwsRequest, method: string = request.getCaseSensitiveMethod()): UwsRequestHead | undefined {
    if (method !== 'GET' && method !== 'HEAD') return undefined;
    const path = request.getUrl();
    if (!this.#forecast.isWorth(path)) {
      this.#notGlanced = path;
      return undefined;
    }
    const connection = request.getHeader(names.connection);
    if (connection !== '' && connection !== 'keep-alive') return undefined;
    if (request.getHeader(names.contentLength) !== '' || request.getHeader(names.transferEncoding) !== '')
      return undefined;
    if (request.getHeader(names.forwardedFor) !== '' || request.getHeader(names.via) !== '') return undefined;
    if (request.getHeader(names.forwarded) !== '') return undefined;
    const host = this.#hosts.nameOf(request.getHeader(names.host));
    return host === undefined ? undefined : new UwsRequestHead(this, request, method, path, host);
  }

  /** The glance at the head made last has not answered it. */
  glancedInVain(): void {
    this.#forecast.missed();
  }

  /** Copies the fields and sets `lost`. */
  readFields(request: UwsRequest): HeaderFields {
    const entries: string[] = [];
    this.#entries = entries;
    this.#doubtful = this.#hasDelete = false;
    request.forEach(this.#collect);
    this.lost = this.#doubtful ? restoreBytes(entries, request) : undefined;
    if (this.#hasDelete) this.lost = 'a control character in a field';
    return new HeaderFields(entries);
  }

  /** @returns why a head that was read is refused; otherwise it tells what it says about itself */
  check(head: UwsRequestHead): PorticoError | undefined {
    if (!isMethod(head.method)) return malformed('a method that is not a token');
    if (!isOriginForm(head.target)) return malformed('a target with bytes that must be escaped, or a fragment');
    const framing = readFraming(head.fields.entries, this.#hosts);
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

function malformed(detail: string): PorticoError {
  return new PorticoError('request_malformed', detail);
}
