import { HeaderFields } from '../http/header-fields.ts';
import type { RequestHead } from '../request/request-head.ts';
import { PorticoError } from '../response/portico-error.ts';
import { isMethod, isOriginForm, readFraming } from './framing.ts';
import type { HostNames } from './host-names.ts';
import type { Http1HeadScanner } from './http1-head-scanner.ts';
import type { UpgradeRequest } from './tunnel.ts';
import { readUpgradeRequest } from './upgrade-request.ts';
import type { WebSocketRequest } from './websocket.ts';
import { readWebSocketRequest } from './websocket-handshake.ts';

const absoluteForm = /^https?:\/\/([^/?]*)([/?].*)?$/i;
const keepAliveOption = /(?:^|,)[ \t]*keep-alive[ \t]*(?:,|$)/i;

/** A request's head as node sockets brought it, and what the connection has to know to read on and to answer. */
export class Http1RequestHead implements RequestHead {
  readonly method: string;
  readonly protocol: string;
  readonly target: string;
  readonly rawPath: string;
  readonly query: string | undefined;
  readonly fields: HeaderFields;
  host = '';
  /** Bytes of body; 0 for none; undefined when it comes chunked. */
  bodyLength: number | undefined = 0;
  /** Whether the connection must be closed behind the response. */
  close = false;
  /** Whether the client waits for 100 before it sends the body. */
  expectsContinue = false;
  webSocketRequest: WebSocketRequest | undefined;
  upgradeRequest: UpgradeRequest | undefined;
  /** Why the request is refused. */
  refusal: PorticoError | undefined;

  /**
   * @param hosts     knows the hosts that were asked for before
   * @param localHost gives what stands in for the Host field that HTTP/1.0 may leave out
   */
  constructor(scanner: Http1HeadScanner, hosts: HostNames, localHost: () => string) {
    this.method = scanner.method;
    this.protocol = scanner.minorVersion === 1 ? 'HTTP/1.1' : 'HTTP/1.0';
    this.fields = new HeaderFields(scanner.entries);
    const absolute = scanner.target.startsWith('/') ? null : absoluteForm.exec(scanner.target);
    // RFC 9112 section 3.2.2: what stands in the target counts, and Host does not.
    this.target = absolute === null ? scanner.target : pathOf(absolute[2] ?? '');
    const question = this.target.indexOf('?');
    this.rawPath = question < 0 ? this.target : this.target.slice(0, question);
    this.query = question < 0 ? undefined : this.target.slice(question + 1);
    this.refusal = this.check(scanner.minorVersion, absolute?.[1], hosts, localHost);
  }

  peek(name: string): string | undefined {
    return this.fields.peek(name);
  }

  private check(
    minorVersion: number,
    targetHost: string | undefined,
    hosts: HostNames,
    localHost: () => string,
  ): PorticoError | undefined {
    if (!isMethod(this.method)) return malformed('a method that is not a token');
    if (!isOriginForm(this.target)) return malformed('a target with bytes that must be escaped, or a fragment');
    const targetName = targetHost === undefined ? undefined : hosts.nameOf(targetHost);
    if (targetHost !== undefined && targetName === undefined) return malformed('a target without a valid host');
    const { entries } = this.fields;
    const hostMissing = minorVersion === 0 && !this.fields.has('host');
    const framing = readFraming(hostMissing ? [...entries, 'host', localHost()] : entries, hosts);
    if (typeof framing === 'string') return malformed(framing);
    // RFC 9112 section 6.1: its framing is faulty.
    if (minorVersion === 0 && framing.length === undefined) return malformed('Transfer-Encoding in HTTP/1.0');
    this.host = targetName ?? framing.host;
    this.bodyLength = framing.length;
    this.close = framing.close || (minorVersion === 0 && !this.wantsKeepAlive());
    if (framing.unknownExpectation) {
      return new PorticoError('expectation_failed', `Expect: ${this.fields.get('expect')}`);
    }
    // RFC 9110 section 10.1.1: HTTP/1.0 knows no expectations.
    this.expectsContinue = minorVersion === 1 && this.bodyLength !== 0 && this.fields.has('expect');
    if (!framing.upgrade || minorVersion === 0) return undefined;
    const asked = readWebSocketRequest(this);
    if (asked instanceof PorticoError) return asked;
    this.webSocketRequest = asked;
    this.upgradeRequest = readUpgradeRequest(this);
    return undefined;
  }

  private wantsKeepAlive(): boolean {
    return keepAliveOption.test(this.fields.list('connection') ?? '');
  }
}

function pathOf(rest: string): string {
  return rest.startsWith('/') ? rest : `/${rest}`;
}

function malformed(detail: string): PorticoError {
  return new PorticoError('request_malformed', detail);
}
