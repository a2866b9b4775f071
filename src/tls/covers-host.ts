/**
 * Whether names of certificates are for a host (RFC 6125 section 6.4.3: a wildcard stands for one label).
 * @param names in lower case
 * @param host  in lower case; `*.example.com` is covered by the same name only
 */
export function coversHost(names: ReadonlySet<string>, host: string): boolean {
  if (names.has(host)) return true;
  const dot = host.indexOf('.');
  return dot > 0 && !host.startsWith('*') && names.has(`*${host.slice(dot)}`);
}
