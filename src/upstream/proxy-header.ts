import { isIPv4, isIPv6 } from 'node:net';
import type { RequestContext } from '../request/request-context.ts';

/** One end of a client's connection. */
interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Both ends of a client's connection, as a server behind is told of them. */
export interface ClientEnds {
  readonly client: Endpoint;
  readonly local: Endpoint;
}

export type ProxyProtocol = 'v1' | 'v2';

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

/**
 * The header of the PROXY protocol (HAProxy, "The PROXY protocol", section 2).
 * @param ends undefined, or with a client that has no IP address: the connection is told to be Portico's own
 */
export function proxyHeader(version: ProxyProtocol, ends: ClientEnds | undefined): Buffer {
  const known = ends !== undefined && isAddress(ends.client.address) ? ends : undefined;
  return version === 'v1' ? lineOf(known) : binaryOf(known);
}

/** Who asks, and where. The client is the one that X-Real-IP names. */
export function clientEnds({ client, exchange }: RequestContext): ClientEnds {
  const { remoteAddress, remotePort, localPort, localAddress, listener } = exchange.connection;
  const address = client?.address ?? remoteAddress;
  return {
    // The port of a client behind a proxy is not known; 0 says so.
    client: { address, port: address === remoteAddress ? remotePort : 0 },
    local: { address: localAddress ?? addressOf(listener), port: localPort },
  };
}

/** Section 2.1. */
function lineOf(ends: ClientEnds | undefined): Buffer {
  if (ends === undefined) return Buffer.from('PROXY UNKNOWN\r\n', 'latin1');
  const { client, local } = ends;
  const four = isIPv4(client.address) && !isIPv6(local.address);
  const [from, to] = four
    ? [client.address, isIPv4(local.address) ? local.address : '0.0.0.0']
    : [inSix(client.address), inSix(local.address)];
  return Buffer.from(`PROXY ${four ? 'TCP4' : 'TCP6'} ${from} ${to} ${client.port} ${local.port}\r\n`, 'latin1');
}

/** Section 2.2. */
function binaryOf(ends: ClientEnds | undefined): Buffer {
  // Version 2 and LOCAL, without a family.
  if (ends === undefined) return Buffer.concat([signature, Buffer.from([0x20, 0x00, 0, 0])]);
  const { client, local } = ends;
  const four = isIPv4(client.address) && !isIPv6(local.address);
  const [from, to] = four
    ? [fourBytes(client.address), fourBytes(isIPv4(local.address) ? local.address : '0.0.0.0')]
    : [sixBytes(inSix(client.address)), sixBytes(inSix(local.address))];
  const rest = Buffer.alloc(4);
  rest.writeUInt16BE(client.port, 0);
  rest.writeUInt16BE(local.port, 2);
  const addresses = [...from, ...to, ...rest];
  return Buffer.concat([signature, Buffer.from([0x21, four ? 0x11 : 0x21, 0, addresses.length, ...addresses])]);
}

/** What a listener is bound to, where that is an address; otherwise the one that stands for all. */
function addressOf(listener: string): string {
  const host = /^(?:\[(.*)\]|([^:]*)):\d+$/.exec(listener);
  const address = host?.[1] ?? host?.[2] ?? '';
  return isAddress(address) ? address : '0.0.0.0';
}

function isAddress(text: string): boolean {
  // A zone has no meaning on another machine.
  return isIPv4(text) || (isIPv6(text) && !text.includes('%'));
}

/** An IPv4 address within IPv6 (RFC 4291 section 2.5.5.2), where the other end has one of those. */
function inSix(address: string): string {
  if (isIPv4(address)) return address === '0.0.0.0' ? '::' : `::ffff:${address}`;
  return isAddress(address) ? address : '::';
}

function fourBytes(address: string): number[] {
  return address.split('.').map(Number);
}

function sixBytes(address: string): number[] {
  // The URL parser writes an embedded IPv4 address in hexadecimal (WHATWG URL, "IPv6 serializer").
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const words = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const [before, after] = [words(head), words(tail ?? '')];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].flatMap((word) => {
    const value = Number.parseInt(word, 16);
    return [value >> 8, value & 0xff];
  });
}
