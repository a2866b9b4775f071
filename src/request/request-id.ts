import { randomUUID } from 'node:crypto';
import type { RequestContext } from './request-context.ts';

/** What is taken over from a trusted proxy: nothing that would need escaping in a header, a log line, JSON or HTML. */
const acceptable = /^[A-Za-z0-9._:/+=@-]{1,128}$/;

/**
 * The id under which a request is found in the logs of everybody who saw it. A trusted proxy's X-Request-Id is taken over
 * when it is sound, otherwise one is made: 32 hexadecimal digits. Read it as `RequestContext.requestId`.
 *
 * Made ids are random UUIDs without their dashes: unique over workers, restarts and machines with nothing to coordinate,
 * and cheap because Node draws the randomness for many of them at once.
 */
export function chooseRequestId(context: RequestContext): string {
  return keptRequestId(context) ?? makeRequestId();
}

function keptRequestId({ client, exchange }: RequestContext): string | undefined {
  if (client === undefined || !client.trusted) return undefined;
  const sent = exchange.head.fields.get('x-request-id');
  return sent !== undefined && acceptable.test(sent) ? sent : undefined;
}

function makeRequestId(): string {
  const id = randomUUID();
  return id.slice(0, 8) + id.slice(9, 13) + id.slice(14, 18) + id.slice(19, 23) + id.slice(24);
}
