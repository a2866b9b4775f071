import type { RequestContext } from '../request/request-context.ts';
import { PorticoError } from '../response/portico-error.ts';

const longestPeriodMs = 1000;

/**
 * Ends requests that take too long from their head to the end of their response. All have the same time, so that they are
 * due in the order of their coming: one clock looks at the first ones, and no request needs a timer.
 */
export class RequestDeadlines {
  readonly #underWay = new Set<RequestContext>();
  #limitMs = Number.POSITIVE_INFINITY;
  #clock: NodeJS.Timeout | undefined;
  /** Told of each request that is cut. */
  onCut: (() => void) | undefined;

  /** @param limit milliseconds; counts for requests that begin from now on and, where there was a limit before, for those under way */
  configure(limit: number | false): void {
    clearInterval(this.#clock);
    this.#clock = undefined;
    this.#limitMs = limit === false ? Number.POSITIVE_INFINITY : limit;
    if (limit === false) this.#underWay.clear();
    else this.#clock = setInterval(() => this.#look(), Math.min(longestPeriodMs, limit / 4)).unref();
  }

  begin(context: RequestContext): void {
    if (this.#clock !== undefined) this.#underWay.add(context);
  }

  /** The request has ended, or has become something that may last. */
  end(context: RequestContext): void {
    if (this.#clock !== undefined) this.#underWay.delete(context);
  }

  close(): void {
    this.configure(false);
  }

  #look(): void {
    const begunBefore = performance.now() - this.#limitMs;
    for (const context of this.#underWay) {
      if (context.startedAt > begunBefore) return;
      this.#underWay.delete(context);
      this.#cut(context);
    }
  }

  /** Whoever works on the request hears that its client has gone: nobody may answer it beside them. */
  #cut(context: RequestContext): void {
    context.error ??= new PorticoError('request_too_long', `not complete after ${this.#limitMs} ms (timeouts.request)`);
    this.onCut?.();
    context.exchange.abort();
  }
}
