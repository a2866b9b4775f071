/** What values are taken for that are larger than can be counted with (RFC 9111 section 1.2.2): 2^31, 68 years. */
export const mostDeltaSeconds = 2_147_483_648;

/**
 * Reads a number of seconds as in `max-age` and Age (RFC 9111 section 1.2.2): digits only.
 * @returns at most `mostDeltaSeconds`; undefined when it is none: empty, negative, a fraction, with a unit or blanks
 */
export function parseDeltaSeconds(value: string): number | undefined {
  if (value === '') return undefined;
  let seconds = 0;
  for (let at = 0; at < value.length; at++) {
    const digit = value.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    if (seconds < mostDeltaSeconds) seconds = seconds * 10 + digit;
  }
  return Math.min(seconds, mostDeltaSeconds);
}
