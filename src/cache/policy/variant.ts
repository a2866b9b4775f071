import { codingQualities } from '../../http/accept-encoding.ts';
import type { HeaderFields } from '../../http/header-fields.ts';
import { parseQualityList } from '../../http/quality-list.ts';
import type { CacheRules } from '../cache-rules.ts';

export type VaryNormalization = CacheRules['normalizeVary'];

/** Codings that servers offer, in the order of their normal form. */
const codings = ['br', 'gzip', 'zstd', 'identity'];
/** Lists whose members mean the same in any case and with any blanks around them. */
const listFields: ReadonlySet<string> = new Set(['accept', 'accept-charset', 'accept-encoding', 'accept-language']);

/**
 * The values of the fields that Vary names, as text that is equal for requests that get the same response (RFC 9111 section
 * 4.1). A field that is absent matches absence alone. '' for no names.
 * @param names in lower case, sorted; never with `*`, which matches nothing and is not stored
 */
export function variantOf(names: readonly string[], fields: HeaderFields, normalization: VaryNormalization): string {
  let variant = '';
  for (const name of names) {
    const value = variantValue(name, fields, normalization);
    // No value holds a line feed, so that none can be taken for two.
    variant += value === undefined ? `${name}\n` : `${name}:${value}\n`;
  }
  return variant;
}

/**
 * Accept-Encoding, reduced to the codings that a server may choose: `br, gzip`. Sent upstream in the place of the client's,
 * so that what is stored fits all whose field reduces to the same. '' for identity alone.
 */
export function normalizedAcceptEncoding(fields: HeaderFields): string {
  const field = fields.list('accept-encoding');
  if (field === undefined) return '';
  const qualities = codingQualities(field, codings);
  const wanted = codings.slice(0, -1).filter((_coding, index) => (qualities[index] ?? 0) > 0);
  // Those that refuse the plain form get what they asked for, and share it with nobody who does not.
  if ((qualities.at(-1) ?? 0) === 0) wanted.push('identity;q=0');
  return wanted.join(', ');
}

/**
 * Accept-Language, reduced to the one of the languages that is wanted most (RFC 4647 section 3.4, look-up: `de-AT` finds
 * `de`); '' when none is. To be sent upstream as `normalizedAcceptEncoding` is.
 * @param languages as the site has them, such as `en`, `pt-BR`
 */
export function normalizedAcceptLanguage(fields: HeaderFields, languages: readonly string[]): string {
  const field = fields.list('accept-language');
  if (field === undefined) return '';
  let best = '';
  let bestQuality = 0;
  for (const { value, quality } of parseQualityList(field)) {
    if (quality <= bestQuality) continue;
    const found = value === '*' ? languages[0] : languageFor(value, languages);
    if (found === undefined) continue;
    best = found;
    bestQuality = quality;
  }
  return best;
}

function variantValue(name: string, fields: HeaderFields, normalization: VaryNormalization): string | undefined {
  const { acceptEncoding, acceptLanguage } = normalization;
  if (name === 'accept-encoding' && acceptEncoding) return normalizedAcceptEncoding(fields);
  if (name === 'accept-language' && acceptLanguage !== undefined) {
    return normalizedAcceptLanguage(fields, acceptLanguage);
  }
  const value = fields.list(name)?.trim();
  return value !== undefined && listFields.has(name) ? withoutBlanks(value) : value;
}

/** The language itself, else what it begins with, subtag by subtag, else one that begins with it. */
function languageFor(range: string, languages: readonly string[]): string | undefined {
  for (let end = range.length; end > 0; end = range.lastIndexOf('-', end - 1)) {
    const prefix = range.slice(0, end);
    const found = languages.find((language) => language.toLowerCase() === prefix);
    if (found !== undefined) return found;
  }
  return languages.find((language) => language.toLowerCase().startsWith(`${range}-`));
}

function withoutBlanks(list: string): string {
  return list
    .toLowerCase()
    .split(/[ \t]+/)
    .join('');
}
