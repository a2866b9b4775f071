import { namedByConnection } from '../http/hop-by-hop.ts';
import { pathRest } from '../http/path-rest.ts';
import type { ClientIdentity } from '../request/client-identity.ts';
import type { RequestContext } from '../request/request-context.ts';
import type { RequestHead } from '../request/request-head.ts';
import type { Server } from '../upstream/server.ts';
import { FieldTables } from './field-tables.ts';
import type { ForwardedFields } from './forwarded-fields.ts';
import type { LinePrefixes } from './line-prefixes.ts';
import type { ProxyHandlerConfig } from './proxy-config.ts';
import { hopByHopRequestFields } from './request-field-rules.ts';

/** Methods for which a body of length 0 is worth saying (RFC 9110 section 8.6). */
const methodsWithBody: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

/**
 * Writes the request line and fields that go upstream: the target byte for byte, the framing afresh, the client's fields
 * without those that end here or that it has no right to send. What the configuration says is worked out once.
 */
export class RequestHeadWriter {
  /** What requests need of the configuration, in fields of its own: see `compileRoute`. */
  private readonly stripPrefix: boolean;
  private readonly prefix: string;
  private readonly asksByAddress: boolean;
  private readonly clientLines: LinePrefixes;
  private readonly proxyLines: LinePrefixes;
  private readonly forwarded: ForwardedFields;
  /** The Host field where it is the same for all requests. */
  private readonly fixedHost: string | undefined;
  /** The lines of `requestHeaders.set`, each with a line break before it. */
  private readonly setLines: string;

  /**
   * @param tables shared with other routes
   * @throws Error when the route sets a field that is not its to set
   */
  constructor(config: ProxyHandlerConfig, tables: FieldTables = new FieldTables()) {
    this.stripPrefix = config.stripPrefix;
    this.prefix = config.prefix;
    this.asksByAddress = config.host === 'upstream';
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
    const lines = tables.requestLines([...changed, ...(config.identityFields ?? [])]);
    this.clientLines = lines.ofClients;
    this.proxyLines = lines.ofProxies;
    this.forwarded = tables.forwarded(config.forwarded, changed);
    const setHost = Object.entries(set).find(([name]) => name.toLowerCase() === 'host');
    const fixed = setHost?.[1] ?? (typeof config.host === 'object' ? config.host.value : undefined);
    this.fixedHost = fixed;
    this.setLines = Object.entries(set)
      .filter(([name]) => name.toLowerCase() !== 'host')
      .map(([name, value]) => `\r\n${name}: ${value}`)
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
    const host = this.fixedHost ?? (this.asksByAddress ? hostOf(server) : head.host);
    let text = `${head.method} ${this.target(head)} HTTP/1.1\r\nHost: ${host}`;
    text += this.forwarded.write(context, client);
    text += linesBehind(exchange.connection.clientFields);
    text = this.copyFields(text, head, client.trusted);
    text += linesBehind(context.requestFields);
    text += this.setLines;
    const { upgrade } = context;
    if (upgrade !== undefined) text += `\r\nConnection: Upgrade\r\nUpgrade: ${upgrade.protocols.join(', ')}`;
    else if (!server.keepsAlive) text += '\r\nConnection: close';
    if (length === undefined) text += '\r\nTransfer-Encoding: chunked';
    else if (length > 0 || methodsWithBody.has(head.method)) text += `\r\nContent-Length: ${length}`;
    return `${text}\r\n\r\n`;
  }

  /** The text, and behind it the client's fields that are passed on. */
  private copyFields(before: string, { fields }: RequestHead, trusted: boolean): string {
    const lines = trusted ? this.proxyLines : this.clientLines;
    const { entries } = fields;
    const named = namedByConnection(fields.list('connection'));
    let text = before;
    for (let index = 0; index < entries.length; index += 2) {
      const name = entries[index] as string;
      const prefix = lines.prefix(index, name);
      if (prefix === '' || named?.has(name) === true) continue;
      // Two joins a field: text is joined by reference, and copied once when it is sent.
      text = text + prefix + (entries[index + 1] as string);
    }
    return text;
  }

  private target(head: RequestHead): string {
    if (!this.stripPrefix) return head.target;
    const rest = pathRest(head.rawPath, this.prefix);
    const path = rest === '' ? '/' : rest;
    return head.query === undefined ? path : `${path}?${head.query}`;
  }
}

/** `name: value\r\n` lines, as lines behind others that do not end yet. */
function linesBehind(lines: string | undefined): string {
  return lines === undefined || lines === '' ? '' : `\r\n${lines.slice(0, -2)}`;
}

/** Who asks, where nobody has worked it out: the peer itself. */
function peerIdentity({ exchange }: RequestContext): ClientIdentity {
  const { remoteAddress, scheme, localPort } = exchange.connection;
  return { address: remoteAddress, scheme, host: exchange.head.host, port: localPort, trusted: false };
}

/** The Host field for a server asked under its own address. */
function hostOf({ address, tls }: Pick<Server, 'address' | 'tls'>): string {
  if ('socketPath' in address) return 'localhost';
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return address.port === (tls === undefined ? 80 : 443) ? host : `${host}:${address.port}`;
}
