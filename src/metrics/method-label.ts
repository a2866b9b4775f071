const methods: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'CONNECT',
]);

/** The `method` label: a standard method (RFC 9110 section 9.3, RFC 5789), or `OTHER`, because clients may invent names. */
export function methodLabel(method: string): string {
  return methods.has(method) ? method : 'OTHER';
}
