/** Fields about one connection, which end at whoever receives them (RFC 9110 section 7.6.1), in lower case. */
export const connectionFields: readonly string[] = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** Those, and what a client and the next proxy say to each other (RFC 9110 section 11.7). */
export const hopByHopFields: readonly string[] = [
  ...connectionFields,
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
];

/** The field names that a Connection field declares hop-by-hop, in lower case; undefined for none, as nearly always. */
export function namedByConnection(value: string | undefined): ReadonlySet<string> | undefined {
  if (value === undefined || value === 'keep-alive' || value === 'close') return undefined;
  const names = new Set<string>();
  for (const part of value.toLowerCase().split(',')) {
    const option = part.trim();
    if (option !== '' && option !== 'close' && option !== 'keep-alive') names.add(option);
  }
  return names.size === 0 ? undefined : names;
}
