import type { RequestContext } from '../request/request-context.ts';
import type { PorticoError } from '../response/portico-error.ts';

/** Stands before a route's action and decides whether a request may go on. */
export interface Gate {
  /** Asked once a request. What it says later comes by the `PendingVerdict` that it gives now. */
  ask(context: RequestContext): Verdict | PendingVerdict;
}

/** Undefined lets the request pass. */
export type Verdict = undefined | PorticoError | Answer;

/** A response in the place of the action's: a preflight, the redirect of a service that authenticates. */
export interface Answer {
  /** Responds once, and at once. */
  give(context: RequestContext): void;
}

/** A verdict that comes later, once. */
export class PendingVerdict {
  /** Told when nobody wants the verdict any more: the client has gone. It may come all the same. */
  onCancelled: (() => void) | undefined;
  #listener: ((verdict: Verdict) => void) | undefined;
  #verdict: Verdict;
  #settled = false;

  /** Says the verdict; what is said after the first time does not count. */
  settle(verdict: Verdict): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#verdict = verdict;
    this.#listener?.(verdict);
  }

  /** @param listener called once: now when the verdict is there already */
  whenSettled(listener: (verdict: Verdict) => void): void {
    if (this.#settled) listener(this.#verdict);
    else this.#listener = listener;
  }

  /** Nobody wants the verdict any more. */
  cancel(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.onCancelled?.();
  }
}
