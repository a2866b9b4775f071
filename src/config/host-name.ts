import { isIP, isIPv6 } from 'node:net';

const label = /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;

/**
 * Whether this is an address or a name that the resolver takes (RFC 1123; with `_`, which container networks use).
 * Digits and dots alone that are no address, such as `1.2.3`, are refused: they would be looked up as a name.
 */
export function isHost(text: string): boolean {
  if (isIP(text) !== 0) return true;
  return text.length <= 253 && !/^[\d.]+$/.test(text) && text.split('.').every((part) => label.test(part));
}

/** `host:port` or `[ipv6]:port` in its two parts, without a look at what they hold. */
export function splitHostPort(text: string): { host: string; port: string; bracketed: boolean } | undefined {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d+)$/.exec(text);
  if (!match) return undefined;
  const [, bracketed, plain, port = ''] = match;
  return { host: bracketed ?? plain ?? '', port, bracketed: bracketed !== undefined };
}

/** One spelling for each address: letters lower, IPv6 in brackets as the URL standard writes it. */
export function canonicalHost(host: string): string {
  return isIPv6(host) && !host.includes('%') ? new URL(`http://[${host}]/`).hostname.slice(1, -1) : host.toLowerCase();
}
