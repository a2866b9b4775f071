import { parseQualityList } from './quality-list.ts';

/** Names that mean the same (RFC 9110 section 8.4.1). */
const aliases: Readonly<Record<string, string>> = { 'x-gzip': 'gzip', 'x-compress': 'compress' };

/**
 * How much a client wants each of the codings, by its Accept-Encoding (RFC 9110 section 12.5.3), in thousandths: 0 means
 * that it must not be used. `identity` is always acceptable unless refused, but when not named it comes last.
 *
 * @param field undefined when the request has none: then only `identity` is taken to be wanted, because a client that
 *   can decode says so
 */
export function codingQualities(field: string | undefined, codings: readonly string[]): number[] {
  const items = field === undefined ? [] : parseQualityList(field);
  const named = new Map<string, number>();
  for (const { value, quality } of items) {
    const name = aliases[value] ?? value;
    // The first mention counts.
    if (!named.has(name)) named.set(name, quality);
  }
  const others = named.get('*');
  return codings.map((coding) => named.get(coding) ?? others ?? (coding === 'identity' ? 1 : 0));
}
