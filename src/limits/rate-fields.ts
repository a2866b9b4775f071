import { serializeFields } from '../response/response-head.ts';
import type { RateZone } from './rate-zone.ts';

/**
 * Tells a client of its limit (draft-ietf-httpapi-ratelimit-headers): the quota is everything that may come at once, the
 * window the time in which it comes back.
 * @param left requests that may come now
 * @param fullInMs until the whole quota is there again
 */
export function rateFields({ name, config }: RateZone, left: number, fullInMs: number): string {
  const quota = config.burst + 1;
  const window = Math.max(1, Math.ceil((quota * config.interval) / 1000));
  const item = `"${name}"`;
  const policy = `\r\nRateLimit-Policy: ${item};q=${quota};w=${window}`;
  return `${policy}\r\nRateLimit: ${item};r=${left};t=${Math.ceil(fullInMs / 1000)}`;
}

/** Retry-After (RFC 9110 section 10.2.3), which cannot say less than a second. */
export function retryAfter(seconds: number): string {
  return serializeFields([['Retry-After', String(seconds)]]).toString('latin1');
}
