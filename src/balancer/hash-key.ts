import type { HashConfig } from '../config/config.ts';
import { requestCookie } from '../http/cookie.ts';
import type { RequestContext } from '../request/request-context.ts';

/**
 * What a request is hashed by. Where it has no such header or cookie, or an empty one, the client's address: otherwise
 * all such requests would go to one server.
 */
export function hashKey(by: HashConfig['by'], context: RequestContext): string {
  if (by === 'path') return context.path;
  const value = by === 'address' ? undefined : fieldOrCookie(by, context);
  return value === undefined || value === '' ? addressOf(context) : value;
}

function fieldOrCookie(by: Exclude<HashConfig['by'], string>, { exchange }: RequestContext): string | undefined {
  const { fields } = exchange.head;
  return 'header' in by ? fields.get(by.header) : requestCookie(fields, by.cookie);
}

function addressOf({ client, exchange }: RequestContext): string {
  return client?.address ?? exchange.connection.remoteAddress;
}
