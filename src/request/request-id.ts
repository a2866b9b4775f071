import { RandomIds } from './random-ids.ts';
import type { RequestContext } from './request-context.ts';

// Says nothing about requests: only randomness that nobody has seen yet.
const made = new RandomIds();

/** What is taken over from a trusted proxy: nothing that would need escaping in a header, a log line, JSON or HTML. */
const acceptable = /^[A-Za-z0-9._:/+=@-]{1,128}$/;

/**
 * The id under which a request is found in the logs of everybody who saw it. A trusted proxy's X-Request-Id is taken over
 * when it is sound, otherwise one is made: 32 hexadecimal digits. Read it as `RequestContext.requestId`.
 */
export function chooseRequestId(context: RequestContext): string {
  return keptRequestId(context) ?? made.make();
}

function keptRequestId({ client, exchange }: RequestContext): string | undefined {
  if (client === undefined || !client.trusted) return undefined;
  const sent = exchange.head.fields.get('x-request-id');
  return sent !== undefined && acceptable.test(sent) ? sent : undefined;
}
