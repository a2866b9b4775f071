import { isUtf8 } from 'node:buffer';
import { realpathSync } from 'node:fs';
import type { DirectedActions } from '../proxy/accel-directives.ts';
import { deriveRequest } from '../request/derived-request.ts';
import { parseInternalTarget } from '../request/internal-target.ts';
import type { RequestContext } from '../request/request-context.ts';
import type { DirectedFields } from '../response/directed-fields.ts';
import { respondError } from '../response/error-response.ts';
import type { PaceClock } from '../response/pace-clock.ts';
import { limitRate } from '../response/paced-exchange.ts';
import { PorticoError } from '../response/portico-error.ts';
import type { Handler } from '../route/route.ts';

/** Directives that may lead from one to the next for one request: more are a loop. */
const maxDepth = 5;

/**
 * Serves what an application names instead of a response of its own.
 * @param folder for X-Sendfile, absolute
 * @param filesOf makes what serves the files of that folder
 */
export function createDirectedActions(
  folder: string | undefined,
  clock: PaceClock,
  filesOf: (folder: string) => Handler,
): DirectedActions {
  const sendfile = folder === undefined ? undefined : createSendfile(folder, filesOf(folder));
  const redirect: DirectedActions['redirect'] = (context, value, fields) =>
    redirectInternally(context, value, fields, clock);
  return { redirect, sendfile };
}

function redirectInternally(context: RequestContext, value: string, fields: DirectedFields, clock: PaceClock): void {
  const target = parseInternalTarget(value);
  if (target === undefined) return refuse(context, `X-Accel-Redirect is no path that can be served: ${shown(value)}`);
  const derived = deriveRequest(context, target, fields);
  if (isTooDeep(derived)) return refuse(context, `more than ${maxDepth} redirects by X-Accel-Redirect in a row`);
  const route = context.site?.find(derived);
  if (route === undefined || route instanceof PorticoError) {
    return refuse(context, `X-Accel-Redirect leads to no internal route: ${shown(value)}`);
  }
  derived.route = route;
  if (route.limitRate !== undefined) derived.exchange = limitRate(derived.exchange, route.limitRate, clock);
  route.handler.handle(derived);
}

function createSendfile(folder: string, files: Handler): DirectedActions['sendfile'] {
  // Applications name files without the links that lead to the folder, too.
  const prefixes = [folder, realpathSync(folder)].map((path) => (path.endsWith('/') ? path : `${path}/`));
  return (context, value, fields) => {
    const path = decodeBytes(value);
    const prefix = prefixes.find((one) => path.startsWith(one));
    const below = prefix === undefined ? undefined : path.slice(prefix.length - 1);
    // The folder's handler looks at every segment and follows every link; `..` is refused before it could mean anything.
    if (below === undefined || /\/\.{1,2}(?:\/|$)|\/\/|\0/.test(below)) {
      return refuse(context, `X-Sendfile names no file below ${folder}: ${shown(value)}`);
    }
    const derived = deriveRequest(context, { path: below, rawPath: '/', query: undefined }, fields);
    if (isTooDeep(derived)) return refuse(context, `more than ${maxDepth} directives in a row`);
    files.handle(derived);
  };
}

function isTooDeep({ origin }: RequestContext): boolean {
  return (origin?.depth ?? 0) > maxDepth;
}

function refuse(context: RequestContext, detail: string): void {
  respondError(context, new PorticoError('directive_refused', detail));
}

/** Names of files are UTF-8 nearly everywhere; what is not stays one character a byte, and will not be found. */
function decodeBytes(value: string): string {
  const bytes = Buffer.from(value, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : value;
}

/** For the log: enough to recognise it. */
function shown(value: string): string {
  return JSON.stringify(value.length > 200 ? `${value.slice(0, 200)}…` : value);
}
