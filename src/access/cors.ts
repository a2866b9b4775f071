import type { RequestContext } from '../request/request-context.ts';
import { responseHead } from '../response/response-head.ts';
import type { Answer } from './gate.ts';
import { OriginList } from './origin-list.ts';

/** What pages of other origins may do (Fetch, section 3.2). */
export interface CorsConfig {
  /** In lower case; see `OriginList`. */
  readonly origins: readonly string[];
  readonly credentials: boolean;
  readonly methods: readonly string[];
  /** Request fields; `any` for whichever the page asks for. */
  readonly headers: readonly string[] | 'any';
  readonly exposeHeaders: readonly string[];
  /** How long a browser need not ask again, milliseconds. */
  readonly maxAge: number;
}

const noBody = Buffer.alloc(0);
const longestHeaderList = 2048;
const headerList = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:[ \t]*,[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+)*$/;

/** Fields of the application's that are taken out: two answers to one question are none. */
export const corsResponseFields: readonly string[] = [
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-expose-headers',
];

/** Tells browsers which other origins may read the responses of a route. */
export class Cors {
  readonly #config: CorsConfig;
  readonly #origins: OriginList;
  /** Whether all responses are the same, whatever the origin. */
  readonly #uniform: boolean;

  constructor(config: CorsConfig) {
    this.#config = config;
    this.#origins = new OriginList(config.origins);
    this.#uniform = this.#origins.everybody && !config.credentials;
  }

  /** The `\r\nname: value` lines that the response gets. */
  lines(context: RequestContext): Buffer {
    const { credentials, exposeHeaders } = this.#config;
    const origin = this.#allowedOrigin(context);
    let lines = this.#uniform ? '' : '\r\nVary: Origin';
    if (origin !== undefined) {
      lines += `\r\nAccess-Control-Allow-Origin: ${origin}`;
      if (credentials) lines += '\r\nAccess-Control-Allow-Credentials: true';
      if (exposeHeaders.length > 0) lines += `\r\nAccess-Control-Expose-Headers: ${exposeHeaders.join(', ')}`;
    }
    return Buffer.from(lines, 'latin1');
  }

  /** The answer to a preflight, which the application does not get; undefined for every other request. */
  preflight({ exchange }: RequestContext): Answer | undefined {
    const { method, fields } = exchange.head;
    if (method !== 'OPTIONS' || !fields.has('origin') || !fields.has('access-control-request-method')) return undefined;
    return { give: (context) => this.#answer(context) };
  }

  #answer(context: RequestContext): void {
    const { methods, headers, maxAge } = this.#config;
    const fields: [string, string][] = [['Vary', 'Access-Control-Request-Method, Access-Control-Request-Headers']];
    if (this.#allowedOrigin(context) !== undefined) {
      fields.push(['Access-Control-Allow-Methods', methods.join(', ')]);
      const allowed = headers === 'any' ? askedHeaders(context) : headers.join(', ');
      if (allowed !== '') fields.push(['Access-Control-Allow-Headers', allowed]);
      fields.push(['Access-Control-Max-Age', String(Math.floor(maxAge / 1000))]);
    }
    // Where it comes from stands in the fields that every response of the route gets.
    context.exchange.respond(responseHead(204, fields), noBody);
  }

  /** What Access-Control-Allow-Origin says. Several origins are none. */
  #allowedOrigin({ exchange }: RequestContext): string | undefined {
    if (this.#uniform) return '*';
    const origins = exchange.head.fields.all('origin');
    const [origin] = origins;
    return origins.length === 1 && origin !== undefined && this.#origins.has(origin) ? origin : undefined;
  }
}

/** The names that the page wants to send, when they are names. */
function askedHeaders({ exchange }: RequestContext): string {
  const asked = exchange.head.fields.list('access-control-request-headers') ?? '';
  return asked.length <= longestHeaderList && headerList.test(asked) ? asked : '';
}
