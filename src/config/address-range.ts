import { isIP } from 'node:net';
import type { Checked } from './diagnosis.ts';
import { quote } from './finding.ts';

const allowed = 'an address such as 10.0.0.1 or a range such as 10.0.0.0/8 or fd00::/8';

/** An address or a CIDR range (RFC 4632, RFC 4291 section 2.3), and how many bits of it count. */
export function parseAddressRange(text: string): Checked<{ readonly prefixLength: number }> {
  const [address = '', prefix, ...more] = text.split('/');
  const version = isIP(address);
  const bits = version === 4 ? 32 : 128;
  const wellFormed = version !== 0 && more.length === 0 && !address.includes('%');
  if (wellFormed && prefix === undefined) return { value: { prefixLength: bits } };
  if (wellFormed && /^(0|[1-9]\d{0,2})$/.test(prefix ?? '') && Number(prefix) <= bits) {
    return { value: { prefixLength: Number(prefix) } };
  }
  return { mistake: { message: `wrong address or range ${quote(text)}`, found: quote(text), allowed } };
}
