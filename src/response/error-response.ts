import { STATUS_CODES } from 'node:http';
import type { RequestContext } from '../request/request-context.ts';
import type { ErrorPage, ErrorPages, Route } from '../route/route.ts';
import { chooseErrorFormat, type ErrorFormat } from './error-format.ts';
import { errorBody, errorContentTypes } from './error-page.ts';
import { linesWithout } from './field-lines.ts';
import type { PorticoError } from './portico-error.ts';
import { ResponseHead } from './response-head.ts';

const noFields = Buffer.alloc(0);
/** Fields that an error response sets itself; the route's own value for them would contradict it. */
const ownFields = ['content-type', 'cache-control', 'x-request-id'];

/**
 * Answers a request with an error: the one place where errors become responses. When a response has begun already, the
 * connection is cut instead, so that the client cannot take what it got for complete. Does nothing more than note the
 * error when the client has gone. Nothing of the error's detail leaves the program here; it is for the log.
 *
 * @param extraFields `\r\nname: value` lines that belong to the status: Allow for 405, Content-Range for 416
 */
export function respondError(context: RequestContext, error: PorticoError, extraFields: Buffer = noFields): void {
  const { exchange, route } = context;
  for (let known: RequestContext | undefined = context; known !== undefined; known = known.origin?.context) {
    known.error = error;
  }
  const { rescue } = context;
  context.rescue = undefined;
  if (rescue?.(error) === true) return;
  if (exchange.aborted) return;
  if (exchange.responded) return exchange.abort();

  const id = Buffer.from(context.requestId, 'latin1');
  const format = chooseErrorFormat(exchange.head.fields.list('accept'));
  const page = customPage(context, error.status, format, error.code === 'upstream_maintenance');
  const contentType = page?.contentType ?? errorContentTypes[format];
  const fields = route === undefined ? noFields : routeFields(route);
  exchange.respond(
    errorHead(error.status, contentType, [id, fields, error.fields ?? noFields, extraFields]),
    page?.body ?? errorBody(error.code, format, id),
  );
}

function errorHead(status: number, contentType: string, rest: readonly Buffer[]): ResponseHead {
  const start =
    `${status} ${STATUS_CODES[status] ?? 'Error'}\r\nContent-Type: ${contentType}` +
    '\r\nCache-Control: no-store\r\nX-Request-Id: ';
  return new ResponseHead(status, Buffer.concat([Buffer.from(start, 'latin1'), ...rest]));
}

/**
 * The configured page for a status. A client that asks for JSON gets none that is not JSON: it cannot show a page.
 * @param maintenance whether the page for maintenance comes first
 */
function customPage(
  context: RequestContext,
  status: number,
  format: ErrorFormat,
  maintenance: boolean,
): ErrorPage | undefined {
  const pages = context.route?.errorPages ?? context.site?.errorPages;
  if (pages === undefined || pages.size === 0) return undefined;
  const page = (maintenance ? pages.get('maintenance') : undefined) ?? pageFor(pages, status);
  if (format === 'json' && page?.contentType.includes('json') !== true) return undefined;
  return page;
}

function pageFor(pages: ErrorPages, status: number): ErrorPage | undefined {
  return pages.get(status) ?? pages.get(status < 500 ? '4xx' : '5xx');
}

/** The page that stands in the place of an error response of the application; undefined to leave that as it is. */
export function interceptingPage(context: RequestContext, status: number): ErrorPage | undefined {
  const pages = context.route?.errorPages;
  if (pages === undefined || pageFor(pages, status) === undefined) return undefined;
  return customPage(context, status, chooseErrorFormat(context.exchange.head.fields.list('accept')), false);
}

/**
 * Answers with a page in the place of an error response of the application.
 * @param kept `\r\nname: value` lines of that response which belong to its status
 */
export function respondPage(context: RequestContext, status: number, page: ErrorPage, kept: Buffer): void {
  const { exchange, route } = context;
  if (exchange.aborted) return;
  const id = Buffer.from(context.requestId, 'latin1');
  const fields = route === undefined ? noFields : routeFields(route);
  exchange.respond(errorHead(status, page.contentType, [id, fields, kept]), page.body);
}

/** The lines that the route adds to its responses, without those that would double one of the error's own. */
function routeFields({ responseFields, removedResponseFields }: Route): Buffer {
  if (!ownFields.some((name) => removedResponseFields.has(name))) return responseFields;
  return linesWithout(responseFields, ownFields);
}
