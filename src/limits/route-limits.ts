import type { RequestContext } from '../request/request-context.ts';
import type { PorticoError } from '../response/portico-error.ts';
import type { ConcurrencyZone } from './concurrency-zone.ts';
import type { Hold } from './hold-table.ts';
import type { LimitRefusals } from './limit-refusals.ts';
import { tellRates } from './rate-fields-exchange.ts';
import type { RateZone } from './rate-zone.ts';

/** The limits that hold for the requests of one route. */
export class RouteLimits {
  readonly #rates: readonly RateZone[];
  readonly #refusals: LimitRefusals;
  readonly #telling: readonly RateZone[];
  readonly #concurrency: readonly ConcurrencyZone[];

  constructor({ rates, telling, concurrency }: HoldingZones, refusals: LimitRefusals) {
    this.#rates = rates;
    this.#telling = telling;
    this.#concurrency = concurrency;
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
    if (this.#concurrency.length > 0) {
      const error = this.#takePlaces(context);
      if (error !== undefined) return error;
    }
    for (let index = 0; index < rates.length; index++) (rates[index] as RateZone).take(now);
    if (this.#telling.length > 0) context.exchange = tellRates(context.exchange, this.#telling, now);
    return undefined;
  }

  /** A place in every zone or in none. */
  #takePlaces(context: RequestContext): PorticoError | undefined {
    const places: Hold[] = [];
    for (const zone of this.#concurrency) {
      const place = zone.take(context);
      if (place === false) {
        for (const taken of places) taken.release();
        return this.#refusals.ofConcurrency(zone, context);
      }
      if (place !== undefined) places.push(place);
    }
    context.places = places;
    return undefined;
  }
}

/** The zones that hold for a route. */
export interface HoldingZones {
  readonly rates: readonly RateZone[];
  /** Those of them that every response tells of. */
  readonly telling: readonly RateZone[];
  readonly concurrency: readonly ConcurrencyZone[];
}
