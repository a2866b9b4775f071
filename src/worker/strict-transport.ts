import { type ResponseFieldPlan, ResponseFieldsExchange } from '../access/response-fields-exchange.ts';
import type { ListenAddress } from '../config/config.ts';
import type { RequestContext } from '../request/request-context.ts';
import { serializeFields } from '../response/response-head.ts';
import type { HstsConfig } from '../tls/tls-config.ts';

const name = 'strict-transport-security';

/**
 * Tells browsers to come over HTTPS only (RFC 6797). On responses of listeners that speak it and nowhere else, as section
 * 7.2 wants it; never beside the application's own word.
 */
export class StrictTransport {
  /** By the configured address. */
  readonly #plans = new Map<string, ResponseFieldPlan>();

  constructor(listen: readonly ListenAddress[]) {
    for (const { address, tls } of listen) {
      if (tls?.hsts === undefined) continue;
      const line = serializeFields([['Strict-Transport-Security', hstsValue(tls.hsts)]]);
      this.#plans.set(address, { missing: [[name, line]], removed: [], added: Buffer.alloc(0) });
    }
  }

  /** Undefined when no listener has it, so that nobody has to ask. */
  static of(listen: readonly ListenAddress[]): StrictTransport | undefined {
    return listen.some(({ tls }) => tls?.hsts !== undefined) ? new StrictTransport(listen) : undefined;
  }

  apply(context: RequestContext): void {
    const plan = this.#plans.get(context.exchange.connection.listener);
    if (plan !== undefined) context.exchange = new ResponseFieldsExchange(context.exchange, plan);
  }
}

function hstsValue({ maxAge, includeSubDomains, preload }: HstsConfig): string {
  const value = `max-age=${Math.floor(maxAge / 1000)}`;
  return `${value}${includeSubDomains ? '; includeSubDomains' : ''}${preload ? '; preload' : ''}`;
}
