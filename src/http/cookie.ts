import type { HeaderFields } from './header-fields.ts';

/**
 * The value of the first cookie of that name in the Cookie fields of a request (RFC 6265 section 4.2.1), or undefined.
 * Read as it stands there, quotes included.
 */
export function requestCookie(fields: HeaderFields, name: string): string | undefined {
  const { entries } = fields;
  for (let index = 0; index < entries.length; index += 2) {
    if (entries[index] !== 'cookie') continue;
    const value = cookieIn(entries[index + 1] as string, name);
    if (value !== undefined) return value;
  }
  return undefined;
}

function cookieIn(text: string, name: string): string | undefined {
  let at = 0;
  while (at < text.length) {
    while (text[at] === ' ' || text[at] === '\t' || text[at] === ';') at++;
    const found = text.indexOf(';', at);
    const end = found < 0 ? text.length : found;
    if (text[at + name.length] === '=' && text.startsWith(name, at)) {
      return text.slice(at + name.length + 1, end).trimEnd();
    }
    at = end + 1;
  }
  return undefined;
}
