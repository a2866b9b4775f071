import type { RequestContext } from '../request/request-context.ts';
import { PorticoError } from '../response/portico-error.ts';
import { type Gate, PendingVerdict, type Verdict } from './gate.ts';

/**
 * The gates of a route, asked one after the other, the cheap ones first: all of them have to let a request pass, or one
 * of them (NGINX `satisfy`).
 */
export class RouteAccess implements Gate {
  readonly #gates: readonly Gate[];
  readonly #any: boolean;

  constructor(gates: readonly Gate[], satisfy: 'all' | 'any') {
    this.#gates = gates;
    this.#any = satisfy === 'any';
  }

  ask(context: RequestContext): Verdict | PendingVerdict {
    return this.#askFrom(0, undefined, context);
  }

  #askFrom(first: number, refusal: Verdict, context: RequestContext): Verdict | PendingVerdict {
    let worst = refusal;
    for (let index = first; index < this.#gates.length; index++) {
      const verdict = (this.#gates[index] as Gate).ask(context);
      if (verdict instanceof PendingVerdict) return this.#wait(verdict, index, worst, context);
      if (this.#any === (verdict === undefined)) return verdict;
      if (verdict !== undefined) worst = moreUseful(worst, verdict);
    }
    return this.#any ? worst : undefined;
  }

  #wait(pending: PendingVerdict, index: number, worst: Verdict, context: RequestContext): PendingVerdict {
    const whole = new PendingVerdict();
    whole.onCancelled = () => pending.cancel();
    pending.whenSettled((verdict) => {
      if (this.#any === (verdict === undefined)) return whole.settle(verdict);
      const next = this.#askFrom(index + 1, verdict === undefined ? worst : moreUseful(worst, verdict), context);
      if (!(next instanceof PendingVerdict)) return whole.settle(next);
      whole.onCancelled = () => next.cancel();
      next.whenSettled((last) => whole.settle(last));
    });
    return whole;
  }
}

/**
 * Of two refusals the one that tells the client how to get in: a response such as the redirect to a login before all, a
 * request for credentials before a plain no.
 */
function moreUseful(one: Verdict, other: Verdict): Verdict {
  if (one === undefined) return other;
  if (!(one instanceof PorticoError)) return one;
  if (!(other instanceof PorticoError) || one.status === 403) return other;
  return one;
}
