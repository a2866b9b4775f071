import type { RequestContext } from '../request/request-context.ts';
import { Cors, type CorsConfig, corsResponseFields } from './cors.ts';
import type { Answer } from './gate.ts';
import { type ResponseFieldPlan, ResponseFieldsExchange } from './response-fields-exchange.ts';
import { type SecurityHeadersConfig, securityLines } from './security-headers.ts';

/** What a route tells browsers. */
export interface BrowserPolicyConfig {
  readonly cors: CorsConfig | undefined;
  readonly securityHeaders: SecurityHeadersConfig | undefined;
}

/** Tells browsers what pages may do with the responses of a route, errors included. */
export class BrowserPolicy {
  readonly #cors: Cors | undefined;
  readonly #missing: ResponseFieldPlan['missing'];
  readonly #fixed: ResponseFieldPlan;

  constructor({ cors, securityHeaders }: BrowserPolicyConfig) {
    this.#cors = cors === undefined ? undefined : new Cors(cors);
    this.#missing = securityHeaders === undefined ? [] : securityLines(securityHeaders);
    this.#fixed = { missing: this.#missing, removed: [], added: Buffer.alloc(0) };
  }

  /** Sees to it that the response has the fields. @returns the answer to a preflight */
  apply(context: RequestContext): Answer | undefined {
    const cors = this.#cors;
    const plan =
      cors === undefined
        ? this.#fixed
        : { missing: this.#missing, removed: corsResponseFields, added: cors.lines(context) };
    context.exchange = new ResponseFieldsExchange(context.exchange, plan);
    return cors?.preflight(context);
  }
}
