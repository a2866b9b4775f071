import type { Outcome } from '../balancer/admission.ts';
import { hasStatus, type StatusRange } from './status-set.ts';

/** What a request says about its server: that it works, that it does not, or nothing. */
export type Verdict = 'success' | 'failure' | undefined;

/**
 * Failures are what is the server's side of it: connections refused, reset or timed out, answers that are no HTTP or stop in
 * the middle. A client that went away or sent too much says nothing.
 *
 * @param failing statuses that count as failures; all others show that the server works
 */
export function verdictOf(outcome: Outcome, failing: readonly StatusRange[]): Verdict {
  switch (outcome.kind) {
    case 'response':
      return hasStatus(failing, outcome.status) ? 'failure' : 'success';
    case 'failed':
      return outcome.error.side === 'upstream' ? 'failure' : undefined;
    case 'abandoned':
      return undefined;
  }
}
