import type { RouteAction } from '../config/config.ts';
import { linesWithout } from '../response/field-lines.ts';
import { escapeHtml } from '../response/html.ts';
import { ResponseHead, responseHead } from '../response/response-head.ts';
import type { Handler } from '../route/route.ts';
import { RedirectTarget } from './location.ts';

/** Where a redirect route stands. */
interface RedirectPlace {
  /** Path of the route: a prefix, or the whole path when `exact`. */
  readonly prefix: string;
  readonly exact: boolean;
  /** As `Route.responseFields`. */
  readonly responseFields: Buffer;
}

/**
 * Sends the client elsewhere, with the rest of the path and the query as it sent them. The body is a link, for people
 * whose client does not follow.
 */
export function createRedirectHandler(
  action: Extract<RouteAction, { kind: 'redirect' }>,
  { prefix, exact, responseFields }: RedirectPlace,
): Handler {
  const target = new RedirectTarget(action, exact ? undefined : prefix);
  // The Location comes last, because it differs from request to request.
  const { block } = responseHead(action.status, [['Content-Type', 'text/html; charset=utf-8']]);
  const start = Buffer.concat([
    block,
    linesWithout(responseFields, ['content-type', 'location']),
    Buffer.from('\r\nLocation: '),
  ]);
  const headTo = (location: string): ResponseHead =>
    new ResponseHead(action.status, Buffer.concat([start, Buffer.from(location, 'latin1')]));
  const fixedHead = headTo(target.fixed);
  const fixedBody = redirectPage(target.fixed);
  return {
    glance({ exchange }) {
      // A query has not been checked yet.
      if (exchange.head.query !== undefined || target.locate(exchange.head) !== target.fixed) return false;
      exchange.respond(fixedHead, fixedBody);
      return true;
    },
    handle({ exchange }) {
      const location = target.locate(exchange.head);
      if (location === target.fixed) exchange.respond(fixedHead, fixedBody);
      else exchange.respond(headTo(location), redirectPage(location));
    },
  };
}

function redirectPage(location: string): Buffer {
  const link = escapeHtml(location);
  return Buffer.from(
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Redirect</title></head>\n' +
      `<body><p>This page is at <a href="${link}">${link}</a>.</p></body></html>\n`,
  );
}
