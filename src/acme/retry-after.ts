const longestMs = 7 * 86_400_000;

/**
 * What a Retry-After field asks for (RFC 9110 section 10.2.3), in milliseconds and at most a week; undefined when there
 * is none that makes sense.
 * @param now milliseconds since 1970
 */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  const waitMs = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), longestMs);
}
