import type { AcmeFailure } from './acme-error.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

// Nothing is counted against those whom the authority did not hear; others it stops after a few failures an hour.
const unheard = { firstMs: 10_000, longestMs: hourMs };
const heard = { firstMs: 3 * minuteMs, longestMs: 12 * hourMs };
const jitter = 0.2;

/**
 * How long to wait for the next attempt, milliseconds: twice as long each time, and never less than the authority asks for.
 * @param failures in a row, this one included
 * @param random   from 0 to 1
 */
export function retryDelay(
  failure: AcmeFailure,
  failures: number,
  random: number,
  retryAfterMs: number | undefined,
): number {
  const { firstMs, longestMs } = failure === 'unreachable' ? unheard : heard;
  const doubled = Math.min(firstMs * 2 ** (failures - 1), longestMs);
  return Math.max(doubled * (1 + random * jitter), retryAfterMs ?? 0);
}
