import type { JwtClaims } from './jwt.ts';

const longestValue = 4096;
// oxlint-disable-next-line no-control-regex
const unsafe = /[\0-\x1f\x7f]/;

/**
 * The `Name: value\r\n` lines for claims, in UTF-8 as Latin-1 strings; claims that are not there make none. Undefined when one of them cannot stand
 * in a field: it has control characters, or a list has an element with a comma, which would look like two.
 * @param fields names of fields by claim
 */
export function claimFields(claims: JwtClaims, fields: Readonly<Record<string, string>>): string | undefined {
  let lines = '';
  for (const [claim, field] of Object.entries(fields)) {
    if (!Object.hasOwn(claims, claim)) continue;
    const value = claims[claim];
    if (value === null) continue;
    const parts = Array.isArray(value) ? value.map((one: unknown) => textOf(one)) : [textOf(value)];
    if (Array.isArray(value) && parts.some((part) => part?.includes(','))) return undefined;
    if (parts.includes(undefined)) return undefined;
    const text = Buffer.from(parts.join(','), 'utf8').toString('latin1');
    if (unsafe.test(text) || text.length > longestValue) return undefined;
    lines += `${field}: ${text.trim()}\r\n`;
  }
  return lines;
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}
