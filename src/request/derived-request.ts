import { HeaderFields } from '../http/header-fields.ts';
import type { Exchange } from '../listener/exchange.ts';
import { DirectedExchange } from '../response/directed-exchange.ts';
import type { DirectedFields } from '../response/directed-fields.ts';
import type { InternalTarget } from './internal-target.ts';
import { RequestContext } from './request-context.ts';
import type { RequestHead } from './request-head.ts';

/**
 * The request that Portico makes in the place of a client's, because the application asked for something else: the same
 * client, fields and conditions, another target, no body, and GET unless it was HEAD, as NGINX does.
 */
export function deriveRequest(context: RequestContext, target: InternalTarget, fields: DirectedFields): RequestContext {
  const { exchange, origin } = context;
  const made = new DirectedExchange(exchange, derivedHead(exchange.head, target), fields);
  const derived = new RequestContext(made, context.startedAt);
  derived.path = target.path;
  derived.client = context.client;
  derived.requestIdValue = context.requestId;
  derived.site = context.site;
  derived.route = context.route;
  derived.requestFields = context.requestFields;
  derived.origin = { context, depth: (origin?.depth ?? 0) + 1, contentType: fields.contentType };
  return derived;
}

/** The request that Portico makes once more for itself, after it has answered: the same client and route, on an exchange of its own. */
export function repeatRequest(context: RequestContext, exchange: Exchange): RequestContext {
  const made = new RequestContext(exchange, context.startedAt);
  made.path = context.path;
  made.client = context.client;
  made.route = context.route;
  made.site = context.site;
  return made;
}

function derivedHead(head: RequestHead, { rawPath, query }: InternalTarget): RequestHead {
  const fields = withoutContent(head.fields);
  return {
    method: head.method === 'HEAD' ? 'HEAD' : 'GET',
    ...(head.protocol === undefined ? {} : { protocol: head.protocol }),
    target: query === undefined ? rawPath : `${rawPath}?${query}`,
    rawPath,
    query,
    host: head.host,
    fields,
    peek: (name) => fields.peek(name),
  };
}

/** Without the fields that describe a body. */
function withoutContent({ entries }: HeaderFields): HeaderFields {
  const kept: string[] = [];
  for (let index = 0; index < entries.length; index += 2) {
    const name = entries[index] ?? '';
    if (!name.startsWith('content-')) kept.push(name, entries[index + 1] ?? '');
  }
  return new HeaderFields(kept);
}
