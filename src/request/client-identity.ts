import type { HeaderFields } from '../http/header-fields.ts';
import type { Exchange } from '../listener/exchange.ts';
import { type ForwardedElement, parseForwarded } from './forwarded.ts';
import { nodeAddress } from './node-address.ts';
import type { TrustedProxies } from './trusted-proxies.ts';

/** Who asks, as far as it can be believed: taken from the connection, or from a trusted proxy's fields. */
export interface ClientIdentity {
  /** The client's address; the peer's unless a trusted proxy says otherwise. */
  readonly address: string;
  readonly scheme: 'http' | 'https';
  /** The host the client asked for, with its port when it is not the scheme's default. */
  readonly host: string;
  /** The port the client connected to, as it sees it. */
  readonly port: number;
  /** Whether the peer is a trusted proxy, so that its X-Forwarded-* fields were believed and are continued. */
  readonly trusted: boolean;
}

/**
 * Who asks. What an untrusted peer says about others is not looked at. A trusted one is believed in this order:
 * X-Forwarded-For, -Proto, -Host, -Port; Forwarded (RFC 7239) where there is no X-Forwarded-For; the connection.
 */
export function identifyClient(exchange: Exchange, trusted: TrustedProxies): ClientIdentity {
  const { connection, head } = exchange;
  if (!trusted.empty && trusted.has(connection.remoteAddress)) return identifyBehindProxy(exchange, trusted);
  return {
    address: connection.remoteAddress,
    scheme: connection.scheme,
    host: head.host,
    port: connection.localPort,
    trusted: false,
  };
}

function identifyBehindProxy({ connection, head }: Exchange, trusted: TrustedProxies): ClientIdentity {
  const { fields } = head;
  const said = forwardedFor(fields, connection.remoteAddress, trusted);
  const saidScheme = lastValid(fields.list('x-forwarded-proto'), validScheme) ?? validScheme(said.element?.proto ?? '');
  const saidHost = lastValid(fields.list('x-forwarded-host'), validHost) ?? validHost(said.element?.host ?? '');
  const scheme = saidScheme ?? connection.scheme;
  const host = saidHost ?? head.host;
  let port = lastValid(fields.list('x-forwarded-port'), validPort);
  // Without word of the port, it is the one of the address that the client asked for, as far as the proxy tells that.
  if (saidHost !== undefined || saidScheme !== undefined) port ??= portOf(host) ?? defaultPort(scheme);
  return { address: said.address, scheme, host, port: port ?? connection.localPort, trusted: true };
}

interface ForwardedClient {
  readonly address: string;
  /** The element of Forwarded that told it, which describes the client's own connection. */
  readonly element?: ForwardedElement | undefined;
}

/**
 * Walks back over the proxies from the nearest and stops at the first address that is not a trusted one: whatever stands
 * before it may be made up. An entry that is no address ends the walk too, at the last one that was.
 */
function forwardedFor(fields: HeaderFields, peer: string, trusted: TrustedProxies): ForwardedClient {
  const list = fields.list('x-forwarded-for');
  let address = peer;
  if (list !== undefined) {
    for (const entry of list.split(',').toReversed()) {
      const next = nodeAddress(entry);
      if (next === undefined) break;
      address = next;
      if (!trusted.has(address)) break;
    }
    return { address };
  }
  let element: ForwardedElement | undefined;
  for (const hop of parseForwarded(fields.list('forwarded') ?? '')?.toReversed() ?? []) {
    // A proxy that hides the address still tells the truth about scheme and host.
    element = hop;
    const next = nodeAddress(hop.for ?? '');
    if (next === undefined) break;
    address = next;
    if (!trusted.has(address)) break;
  }
  return { address, element };
}

/** The last entry of a list field that is valid: the nearest proxy's word. */
function lastValid<T>(list: string | undefined, parse: (entry: string) => T | undefined): T | undefined {
  if (list === undefined) return undefined;
  for (const entry of list.split(',').toReversed()) {
    const value = parse(entry.trim());
    if (value !== undefined) return value;
  }
  return undefined;
}

function validScheme(text: string): 'http' | 'https' | undefined {
  const scheme = text.toLowerCase();
  return scheme === 'http' || scheme === 'https' ? scheme : undefined;
}

// RFC 9110 section 7.2: a name or an address, and a port; nothing that needs escaping anywhere.
const hostForm = /^(?:[a-z0-9._~-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/;

function validHost(text: string): string | undefined {
  const host = text.toLowerCase();
  return hostForm.test(host) ? host : undefined;
}

function validPort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

function portOf(host: string): number | undefined {
  const found = /:(\d{1,5})$/.exec(host);
  return found?.[1] === undefined || host.endsWith(']') ? undefined : validPort(found[1]);
}

function defaultPort(scheme: 'http' | 'https'): number {
  return scheme === 'https' ? 443 : 80;
}
