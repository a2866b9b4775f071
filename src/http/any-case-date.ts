import { parseHttpDate } from './date.ts';

/**
 * Reads a date whatever the case of its letters, as caches should (RFC 9111 section 4.2), otherwise as `parseHttpDate` does.
 * @returns Unix time in seconds, or undefined when it is no valid date
 */
export function parseAnyCaseDate(value: string, nowSeconds: number): number | undefined {
  const seconds = parseHttpDate(value, nowSeconds);
  if (seconds !== undefined || value.length > longestDate) return seconds;
  return parseHttpDate(value.toLowerCase().replaceAll(word, properCase), nowSeconds);
}

/** `Wednesday, 09-Sep-99 23:59:59 GMT`. */
const longestDate = 34;
const word = /[a-z]+/g;

function properCase(letters: string): string {
  return letters === 'gmt' ? 'GMT' : letters.charAt(0).toUpperCase() + letters.slice(1);
}
