import { HeaderFields } from '../http/header-fields.ts';
import type { TableField } from '../http2/hpack-decoder.ts';
import type { RequestHead } from '../request/request-head.ts';
import { PorticoError } from '../response/portico-error.ts';
import { isMethod, isOriginForm, readFraming } from './framing.ts';
import type { HostNames } from './host-names.ts';
import type { WebSocketRequest } from './websocket.ts';
import { readWebSocketOffer } from './websocket-handshake.ts';

/** Fields that mean something for one connection of HTTP/1.1 only (RFC 9113 section 8.2.2). */
const connectionFields: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);
const pseudoFields: ReadonlySet<string> = new Set([':method', ':scheme', ':authority', ':path', ':protocol']);
const colon = 0x3a;
const fieldName = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
// RFC 9113 section 8.2.1: none of these, nor a blank at either end.
// oxlint-disable-next-line no-control-regex
const fieldValue = /^(?![\t ])[\t\x20-\x7e\x80-\xff]*(?<![\t ])$/;

/**
 * A request's head as HTTP/2 brought it, checked so that it means the same in HTTP/1.1, where it goes on to: nothing in it
 * may begin a line, end a head or frame a body anew (RFC 9113 section 10.3).
 */
export class Http2RequestHead implements RequestHead {
  readonly protocol = 'HTTP/2.0';
  /** That of the same request in HTTP/1.1: GET for what asks for a WebSocket. */
  method: string;
  readonly target: string;
  readonly rawPath: string;
  readonly query: string | undefined;
  readonly fields: HeaderFields;
  readonly host: string;
  /** Bytes of body; 0 for none; undefined when nobody says. */
  bodyLength: number | undefined;
  /** Whether the client waits for 100 before it sends the body. */
  readonly expectsContinue: boolean;
  /** What an extended CONNECT asks for (RFC 8441). */
  readonly connectProtocol: string | undefined;
  webSocketRequest: WebSocketRequest | undefined;
  /** Why the request is refused. */
  refusal: PorticoError | undefined;

  /**
   * @param raw        pseudo-header fields first
   * @param scheme     that of the connection
   * @param endsAtOnce whether no body follows
   * @param hosts      knows the hosts that were asked for before
   */
  constructor(raw: readonly TableField[], scheme: string, endsAtOnce: boolean, hosts: HostNames) {
    const { pseudo, entries, fault } = splitFields(raw);
    this.method = pseudo.get(':method') ?? '';
    this.connectProtocol = pseudo.get(':protocol');
    this.target = pseudo.get(':path') ?? '';
    this.fields = new HeaderFields(entries);
    const question = this.target.indexOf('?');
    this.rawPath = question < 0 ? this.target : this.target.slice(0, question);
    this.query = question < 0 ? undefined : this.target.slice(question + 1);
    const authority = pseudo.get(':authority')?.toLowerCase();
    const hostField = this.fields.get('host')?.toLowerCase();
    this.host = authority ?? hostField ?? '';
    if (hostField === undefined) entries.unshift('host', this.host);
    const isHostValid = hosts.nameOf(this.host) !== undefined;
    const framing = readFraming(entries, hosts);
    const declared = typeof framing === 'string' ? 0 : framing.length;
    this.bodyLength = endsAtOnce ? 0 : this.fields.has('content-length') ? declared : undefined;
    this.expectsContinue = !endsAtOnce && this.fields.has('expect');
    this.refusal = this.check(
      fault,
      framing,
      authority,
      hostField,
      isHostValid,
      pseudo.get(':scheme'),
      scheme,
      endsAtOnce,
    );
    if (this.connectProtocol !== undefined) this.refusal ??= this.readConnect(endsAtOnce);
  }

  peek(name: string): string | undefined {
    return this.fields.peek(name);
  }

  private check(
    fault: string | undefined,
    framing: ReturnType<typeof readFraming>,
    authority: string | undefined,
    hostField: string | undefined,
    isHostValid: boolean,
    scheme: string | undefined,
    connectionScheme: string,
    endsAtOnce: boolean,
  ): PorticoError | undefined {
    if (fault !== undefined) return malformed(fault);
    if (!isMethod(this.method)) return malformed('a method that is not a token');
    const extended = this.connectProtocol !== undefined;
    if (this.method === 'CONNECT' && !extended) return malformed('CONNECT');
    if (this.method !== 'CONNECT' && extended) return malformed('a :protocol without the method CONNECT');
    if (!isOriginForm(this.target)) return malformed('a :path with bytes that must be escaped, or none');
    if (scheme !== connectionScheme) return malformed(`a :scheme other than ${connectionScheme}`);
    if (authority !== undefined && hostField !== undefined && authority !== hostField) {
      return malformed(':authority and Host differ');
    }
    if (!isHostValid) return malformed('no valid :authority');
    if (typeof framing === 'string') return malformed(framing);
    // RFC 9113 section 8.1.1; a HEAD request has no body, whatever it says.
    if (endsAtOnce && framing.length !== 0) return malformed('a Content-Length without a body');
    if (framing.unknownExpectation) {
      return new PorticoError('expectation_failed', `Expect: ${this.fields.get('expect')}`);
    }
    return undefined;
  }

  /** Takes an extended CONNECT for the handshake that it would be in HTTP/1.1 (RFC 8441 section 5). */
  private readConnect(endsAtOnce: boolean): PorticoError | undefined {
    if (this.connectProtocol?.toLowerCase() !== 'websocket') {
      return new PorticoError('protocol_unsupported', `:protocol ${this.connectProtocol}`);
    }
    if (endsAtOnce || this.fields.has('content-length')) {
      return malformed('a WebSocket handshake that ends its stream, or says a length');
    }
    const asked = readWebSocketOffer(this.fields);
    if (asked instanceof PorticoError) return asked;
    this.webSocketRequest = asked;
    this.method = 'GET';
    this.bodyLength = 0;
    return undefined;
  }
}

interface SplitFields {
  readonly pseudo: ReadonlyMap<string, string>;
  readonly entries: string[];
  readonly fault: string | undefined;
}

/** Parts the pseudo-header fields from the others, which it checks; crumbs of Cookie are put together (RFC 9113 section 8.2.3). */
function splitFields(raw: readonly TableField[]): SplitFields {
  const pseudo = new Map<string, string>();
  const entries: string[] = [];
  let fault: string | undefined;
  let cookieAt = -1;
  for (const { name, value, fault: wrong } of raw) {
    fault ??= wrong;
    if (name.charCodeAt(0) === colon) {
      if (entries.length > 0) fault ??= `${name} behind a field`;
      if (pseudo.has(name)) fault ??= `two ${name}`;
      pseudo.set(name, value);
      continue;
    }
    if (name === 'cookie' && cookieAt >= 0) {
      entries[cookieAt] = `${entries[cookieAt]}; ${value}`;
      continue;
    }
    if (name === 'cookie') cookieAt = entries.length + 1;
    entries.push(name, value);
  }
  return { pseudo, entries, fault };
}

/** What is wrong with a field by itself; undefined when nothing is. */
export function http2FieldFault(name: string, value: string): string | undefined {
  if (name.startsWith(':'))
    return pseudoFields.has(name) ? undefined : 'a pseudo-header field that is not of a request';
  if (!fieldName.test(name)) return 'a field name that is no lower-case token';
  if (!fieldValue.test(value)) return `a value of ${name} with bytes that may not be in it`;
  if (connectionFields.has(name)) return `a ${name} field in HTTP/2`;
  if (name === 'te' && value.toLowerCase() !== 'trailers') return 'a TE other than trailers in HTTP/2';
  return undefined;
}

function malformed(detail: string): PorticoError {
  return new PorticoError('request_malformed', detail);
}
