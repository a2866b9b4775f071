import type { Staple } from './ocsp-verification.ts';

/** By how much of its life a response is fetched anew earlier, at random, so that not all servers come at once. */
const jitter = 0.1;
/** A responder that keeps its responses for all has one that is past its half mostly: some of what is left is waited for. */
const leastOfRest = 0.25;
const shortestMs = 1000;
const firstRetryMs = 60_000;
const longestRetryMs = 3_600_000;
const retryJitter = 0.2;

/**
 * How long to wait before a response is fetched again, milliseconds: until half of its life.
 * @param now    milliseconds since 1970
 * @param random from 0 to 1
 */
export function refreshDelay({ thisUpdate, validUntil }: Staple, now: number, random: number): number {
  const life = validUntil - thisUpdate;
  const half = thisUpdate + life * (0.5 - random * jitter) - now;
  return Math.max(half, (validUntil - now) * leastOfRest, shortestMs);
}

/** How long to wait after that many failures in a row, milliseconds: twice as long each time, up to an hour. */
export function ocspRetryDelay(failures: number, random: number): number {
  return Math.min(firstRetryMs * 2 ** Math.min(failures - 1, 10), longestRetryMs) * (1 + random * retryJitter);
}
