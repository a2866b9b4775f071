import type { RequestContext } from '../request/request-context.ts';
import type { PorticoError } from '../response/portico-error.ts';
import type { LimitRefusals } from './limit-refusals.ts';
import { tellRates } from './rate-fields-exchange.ts';
import type { RateZone } from './rate-zone.ts';

/** The limits that hold for the requests of one route. */
export class RouteLimits {
  readonly #rates: readonly RateZone[];
  readonly #refusals: LimitRefusals;
  readonly #telling: readonly RateZone[];

  /** @param telling those of them that every response tells of */
  constructor(rates: readonly RateZone[], telling: readonly RateZone[], refusals: LimitRefusals) {
    this.#rates = rates;
    this.#telling = telling;
    this.#refusals = refusals;
  }

  /**
   * Counts the request, unless one of the limits refuses it: then none has counted it.
   * @param now milliseconds of `performance.now()`
   */
  admit(context: RequestContext, now: number): PorticoError | undefined {
    const rates = this.#rates;
    let refusing: RateZone | undefined;
    let worst = 0;
    for (let index = 0; index < rates.length; index++) {
      const zone = rates[index] as RateZone;
      const excess = zone.check(context, now);
      if (excess <= worst) continue;
      worst = excess;
      refusing = zone;
    }
    if (refusing !== undefined) return this.#refusals.ofRate(refusing, worst, context);
    for (let index = 0; index < rates.length; index++) (rates[index] as RateZone).take(now);
    if (this.#telling.length > 0) context.exchange = tellRates(context.exchange, this.#telling, now);
    return undefined;
  }
}
