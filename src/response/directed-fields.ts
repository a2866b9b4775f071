/**
 * Fields of the application's response that stay when something else answers in its place; with Content-Type and
 * Set-Cookie those that NGINX keeps for X-Accel-Redirect.
 */
const keptNames: ReadonlySet<string> = new Set(['content-disposition', 'accept-ranges', 'cache-control', 'expires']);

/** What an application says about a response whose body comes from elsewhere. */
export interface DirectedFields {
  readonly contentType: string | undefined;
  /** Names in lower case of fields that the answer must not bring itself. */
  readonly names: readonly string[];
  /** `\r\nname: value` lines for the answer. */
  readonly lines: Buffer;
  /** The Set-Cookie lines, which come on top of those of the answer. */
  readonly cookies: Buffer;
}

/** @param block status line and fields of the application's response */
export function directedFields(block: Buffer): DirectedFields {
  const names = new Set<string>();
  let contentType: string | undefined;
  let lines = '';
  let cookies = '';
  for (const line of block.toString('latin1').split('\r\n').slice(1)) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    if (name === 'content-type') contentType = line.slice(colon + 1).trim() || undefined;
    else if (name === 'set-cookie') cookies += `\r\n${line}`;
    else if (keptNames.has(name)) {
      names.add(name);
      lines += `\r\n${line}`;
    }
  }
  // Cache-Control counts more than Expires (RFC 9111 section 5.3): the answer's own would silence the application.
  if (names.has('expires')) names.add('cache-control');
  return {
    contentType,
    names: [...names],
    lines: Buffer.from(lines, 'latin1'),
    cookies: Buffer.from(cookies, 'latin1'),
  };
}
