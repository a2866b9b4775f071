import { isIP } from 'node:net';

const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/**
 * The IP address in one entry of X-Forwarded-For, or in a `for` of Forwarded (RFC 7239 section 6): with or without a port,
 * IPv6 with or without brackets. An IPv4 address mapped into IPv6 comes back in dotted form.
 *
 * @returns undefined for anything that is not an address: `unknown`, an obfuscated name, garbage
 */
export function nodeAddress(entry: string): string | undefined {
  const address = withoutPort(entry.trim());
  // A zone (`fe80::1%eth0`) means nothing outside the machine that wrote it.
  if (isIP(address) === 0 || address.includes('%')) return undefined;
  return mapped.exec(address)?.[1] ?? address.toLowerCase();
}

function withoutPort(entry: string): string {
  if (entry.startsWith('[')) {
    const close = entry.indexOf(']');
    return close !== -1 && isPort(entry.slice(close + 1)) ? entry.slice(1, close) : '';
  }
  const colon = entry.indexOf(':');
  // One colon is IPv4 with a port; more are IPv6, which has none without brackets.
  if (colon === -1 || entry.indexOf(':', colon + 1) !== -1) return entry;
  return isPort(entry.slice(colon)) ? entry.slice(0, colon) : '';
}

function isPort(text: string): boolean {
  return text === '' || /^:\d{1,5}$/.test(text);
}
