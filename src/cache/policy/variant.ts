import { codingQualities } from '../../http/accept-encoding.ts';
import type { HeaderFields } from '../../http/header-fields.ts';
import { parseQualityList } from '../../http/quality-list.ts';
import type { CacheRules } from '../cache-rules.ts';

export type VaryNormalization = CacheRules['normalizeVary'];

/** Codings that servers offer, in the order of their normal form: each is a bit in what a request accepts. */
const codings = ['br', 'gzip', 'zstd', 'identity'];
const refusesIdentity = 8;
/** By what is accepted. Those that refuse the plain form share what they get with nobody who does not. */
const normalForms = Array.from({ length: 16 }, (_form, accepted) =>
  [
    ...codings.slice(0, 3).filter((_coding, bit) => accepted & (1 << bit)),
    ...(accepted & refusesIdentity ? ['identity;q=0'] : []),
  ].join(', '),
);
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
  return normalForm(fields.list('accept-encoding'));
}

/** `variantOf` where Accept-Encoding alone decides, and is normalised. @param field its value */
export function normalizedCodings(field: string | undefined): string {
  return `accept-encoding:${normalForm(field)}\n`;
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

function normalForm(field: string | undefined): string {
  if (field === undefined) return '';
  return normalForms[field.includes(';') ? weighedCodings(field) : plainCodings(field)] as string;
}

/** What a list with weights accepts. */
function weighedCodings(field: string): number {
  let accepted = 0;
  codingQualities(field, codings).forEach((quality, bit) => {
    if (quality > 0) accepted |= 1 << bit;
  });
  return accepted ^ refusesIdentity;
}

/** What a list without weights accepts, as nearly all clients send it: on the way of every hit that varies by it. */
function plainCodings(field: string): number {
  let accepted = 0;
  let start = 0;
  while (start < field.length) {
    const comma = field.indexOf(',', start);
    const end = comma < 0 ? field.length : comma;
    accepted |= codingBit(field.slice(start, end).trim());
    start = end + 1;
  }
  return accepted;
}

function codingBit(name: string): number {
  switch (name) {
    case 'br':
      return 1;
    case 'gzip':
      return 2;
    case 'zstd':
      return 4;
    case 'deflate':
      return 0;
    default: {
      const lower = name.toLowerCase();
      if (lower !== name) return codingBit(lower);
      return name === 'x-gzip' ? 2 : name === '*' ? 7 : 0;
    }
  }
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
