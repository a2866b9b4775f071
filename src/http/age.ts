import { parseDeltaSeconds } from './delta-seconds.ts';

/**
 * Reads the Age field (RFC 9111 section 5.1). Of a list the first member counts.
 * @returns seconds; undefined when it is to be ignored: not a whole number, negative
 */
export function parseAge(value: string): number | undefined {
  const comma = value.indexOf(',');
  return parseDeltaSeconds((comma < 0 ? value : value.slice(0, comma)).trim());
}
