import { isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import type { Checked } from './diagnosis.ts';
import { quote } from './finding.ts';
import { canonicalHost, isHost } from './host-name.ts';

const allowed = 'a host such as example.com, *.example.com, 192.0.2.1 or [2001:db8::1], without scheme and port';

/** A host as the Host field brings it: lower case, IDNs in ASCII (RFC 5891), no dot at the end. */
export function parseHostPattern(text: string): Checked<string> {
  const wildcard = text.startsWith('*.');
  const host = (wildcard ? text.slice(2) : text).replace(/\.$/, '');
  const address = /^\[(.*)\]$/.exec(host)?.[1];
  if (address !== undefined && isIPv6(address) && !wildcard) return { value: `[${canonicalHost(address)}]` };
  // domainToASCII would also "repair" what is no host: 0x7f.1 becomes 127.0.0.1.
  const ascii = /^[\0-\x7f]*$/.test(host) ? host.toLowerCase() : domainToASCII(host);
  if (isHost(ascii) && !isIPv6(ascii)) return { value: wildcard ? `*.${ascii}` : ascii };
  return {
    mistake: { message: `wrong host ${quote(text)}`, found: quote(text), allowed, suggestion: suggestionFor(text) },
  };
}

function suggestionFor(text: string): string | undefined {
  if (isIPv6(text)) return `[${text}]`;
  const bare = /^(?:https?:\/\/)?([^/:]+)(?::\d+)?\/?$/.exec(text)?.[1];
  if (bare !== undefined && bare !== text && isHost(bare)) return bare;
  return /^\.[^.*]/.test(text) && isHost(text.slice(1)) ? `*${text}` : undefined;
}
