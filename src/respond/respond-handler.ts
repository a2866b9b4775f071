import type { RouteAction } from '../config/config.ts';
import { hasLine } from '../response/field-lines.ts';
import { responseHead } from '../response/response-head.ts';
import type { Handler } from '../route/route.ts';

/** Answers every request with the same response, made once. */
export function createRespondHandler(
  { status, body, contentType }: Extract<RouteAction, { kind: 'respond' }>,
  { responseFields }: { readonly responseFields: Buffer },
): Handler {
  const bytes = Buffer.from(body);
  const typed = bytes.length > 0 && !hasLine(responseFields, 'content-type');
  const head = responseHead(status, typed ? [['Content-Type', contentType]] : []).with(responseFields);
  return {
    glance({ exchange }) {
      exchange.respond(head, bytes);
      return true;
    },
    handle({ exchange }) {
      exchange.respond(head, bytes);
    },
  };
}
