/**
 * Request fields that end at a proxy (RFC 9110 section 7.6.1), and those that it writes itself. `proxy` is dropped because
 * CGI programs take it for the HTTP_PROXY of their environment.
 */
export const hopByHopRequestFields: readonly string[] = [
  'connection',
  'keep-alive',
  'proxy',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'expect',
  'content-length',
  'host',
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
