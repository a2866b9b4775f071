import type { HeaderFields } from '../../http/header-fields.ts';

/** RFC 9110 section 9.2.1. Of any other method it has to be assumed that it changes something. */
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** Whether a response to that method says that what is stored for its target is out of date (RFC 9111 section 4.4). */
export function invalidates(method: string, status: number): boolean {
  return status >= 200 && status < 400 && !safeMethods.has(method);
}

/**
 * What is out of date after a response: the target, and what Location and Content-Location name on the same origin. Another
 * origin's URLs never, or anybody could empty its cache.
 * @param url of the request: scheme, host, port, path and query, as the client knows them
 * @returns absolute URLs, each once; empty when the method is safe or the response an error
 */
export function invalidatedBy(method: string, status: number, url: string, fields: HeaderFields): string[] {
  if (!invalidates(method, status) || !URL.canParse(url)) return [];
  const target = new URL(url);
  target.hash = '';
  const urls = new Set([target.href]);
  for (const name of ['location', 'content-location']) {
    const reference = fields.get(name);
    if (reference === undefined || !URL.canParse(reference, url)) continue;
    const named = new URL(reference, url);
    named.hash = '';
    if (named.origin === target.origin) urls.add(named.href);
  }
  return [...urls];
}
