import type { ServerConfig } from '../config/config.ts';
import { pathRest } from '../http/path-rest.ts';
import type { ClientIdentity } from '../request/client-identity.ts';
import type { RequestContext } from '../request/request-context.ts';
import type { RequestHead } from '../request/request-head.ts';
import type { Server } from '../upstream/server.ts';
import { ForwardedFields } from './forwarded-fields.ts';
import { hopByHopRequestFields, namedByConnection } from './hop-by-hop.ts';
import type { ProxyHandlerConfig } from './proxy-config.ts';
import { RequestFieldRules } from './request-field-rules.ts';

/** Methods for which a body of length 0 is worth saying (RFC 9110 section 8.6). */
const methodsWithBody: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

/**
 * Writes the request line and fields that go upstream: the target byte for byte, the framing afresh, the client's fields
 * without those that end here or that it has no right to send. What the configuration says is worked out once.
 */
export class RequestHeadWriter {
  private readonly config: ProxyHandlerConfig;
  private readonly rules: RequestFieldRules;
  private readonly forwarded: ForwardedFields;
  /** The Host line where it is the same for all requests. */
  private readonly fixedHost: string | undefined;
  /** The lines of `requestHeaders.set`. */
  private readonly setLines: string;

  /** @throws Error when the route sets a field that is not its to set */
  constructor(config: ProxyHandlerConfig) {
    this.config = config;
    const { set, remove } = config.requestHeaders;
    const changed = new Set([...Object.keys(set), ...remove].map((name) => name.toLowerCase()));
    for (const name of changed) {
      if (
        name !== 'host' &&
        hopByHopRequestFields.includes(name) &&
        !remove.some((one) => one.toLowerCase() === name)
      ) {
        throw new Error(`requestHeaders.set must not hold ${name}, which Portico writes itself`);
      }
    }
    this.rules = new RequestFieldRules([...changed, ...(config.identityFields ?? [])]);
    this.forwarded = new ForwardedFields(config.forwarded, changed);
    const setHost = Object.entries(set).find(([name]) => name.toLowerCase() === 'host');
    const fixed = setHost?.[1] ?? (typeof config.host === 'object' ? config.host.value : undefined);
    this.fixedHost = fixed === undefined ? undefined : `Host: ${fixed}\r\n`;
    this.setLines = Object.entries(set)
      .filter(([name]) => name.toLowerCase() !== 'host')
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('');
  }

  /**
   * @param length the body's; undefined when it is sent chunked
   * @returns the whole head, with its empty line, as Latin-1: one character a byte
   */
  write(context: RequestContext, server: Server, length: number | undefined): string {
    const { exchange } = context;
    const { head } = exchange;
    const client = context.client ?? peerIdentity(context);
    let text = `${head.method} ${this.target(head)} HTTP/1.1\r\n`;
    text += this.fixedHost ?? `Host: ${this.config.host === 'upstream' ? hostOf(server.address) : head.host}\r\n`;
    text += this.forwarded.write(context, client);
    text += exchange.connection.clientFields ?? '';
    text += this.copied(head, client.trusted);
    text += context.requestFields;
    text += this.setLines;
    if (!server.keepsAlive) text += 'Connection: close\r\n';
    if (length === undefined) text += 'Transfer-Encoding: chunked\r\n';
    else if (length > 0 || methodsWithBody.has(head.method)) text += `Content-Length: ${length}\r\n`;
    return `${text}\r\n`;
  }

  /** The client's fields that are passed on. */
  private copied({ fields }: RequestHead, trusted: boolean): string {
    const { entries } = fields;
    const named = namedByConnection(fields.get('connection'));
    let lines = '';
    for (let index = 0; index < entries.length; index += 2) {
      const name = entries[index] as string;
      if (!this.rules.passes(name, trusted)) continue;
      if (named?.has(name) === true) continue;
      lines += `${name}: ${entries[index + 1]}\r\n`;
    }
    return lines;
  }

  private target(head: RequestHead): string {
    if (!this.config.stripPrefix) return head.target;
    const rest = pathRest(head.rawPath, this.config.prefix);
    const path = rest === '' ? '/' : rest;
    return head.query === undefined ? path : `${path}?${head.query}`;
  }
}

/** Who asks, where nobody has worked it out: the peer itself. */
function peerIdentity({ exchange }: RequestContext): ClientIdentity {
  const { remoteAddress, scheme, localPort } = exchange.connection;
  return { address: remoteAddress, scheme, host: exchange.head.host, port: localPort, trusted: false };
}

/** The Host field for a server asked under its own address. */
function hostOf(address: ServerConfig['address']): string {
  if ('socketPath' in address) return 'localhost';
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return address.port === 80 ? host : `${host}:${address.port}`;
}
