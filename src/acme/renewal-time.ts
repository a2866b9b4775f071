/** By how much of its lifetime a certificate may be renewed earlier, at random, so that not all come at once. */
const jitter = 0.02;

/** A certificate's life, milliseconds since 1970. */
export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

/**
 * When to renew a certificate, milliseconds since 1970.
 * @param renewAt percent of its lifetime
 * @param random  from 0 to 1
 */
export function renewalTime({ notBefore, notAfter }: Validity, renewAt: number, random: number): number {
  const lifetime = notAfter - notBefore;
  return notBefore + lifetime * Math.max(renewAt / 100 - random * jitter, 0);
}

/** What the authority suggests (RFC 9773 section 4.2), milliseconds since 1970. */
export interface RenewalWindow {
  readonly start: number;
  readonly end: number;
}

/** A time in the window, which each client chooses at random. @param random from 0 to 1 */
export function timeInWindow({ start, end }: RenewalWindow, random: number): number {
  return start + (end - start) * random;
}
