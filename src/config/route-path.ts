import type { Checked } from './diagnosis.ts';
import { quote } from './finding.ts';

const allowed = 'a path such as /, /static/ or /api, as it reads after decoding';

/**
 * The path of a route. It is compared with the normalised path of a request, so that a spelling that normalisation never
 * produces would never match; such a path is refused. A `/*` at its end is the same as `/`.
 */
export function parseRoutePath(text: string, exact: boolean): Checked<string> {
  const path = text.endsWith('/*') && !exact ? text.slice(0, -1) : text;
  const reason = reasonNeverMatched(path);
  if (reason === undefined) return { value: path };
  const message = `the path ${quote(text)} can never match: ${reason}`;
  return { mistake: { message, found: quote(text), allowed, suggestion: suggestionFor(path) } };
}

function reasonNeverMatched(path: string): string | undefined {
  if (path.includes('?')) return 'the query is not part of it; use query';
  if (path.includes('#')) return 'a fragment is never sent';
  if (path.includes('*')) return '* stands only at the end, after a slash';
  if (/%[0-9A-Fa-f]{2}/.test(path)) return 'percent escapes are decoded before';
  if (path.includes('//')) return 'double slashes are merged before';
  if (path.includes('\\')) return 'a backslash is refused';
  if (/\/\.\.?(\/|$)/.test(path)) return 'dot segments are resolved before';
  // oxlint-disable-next-line no-control-regex
  if (/[\0-\x1f\x7f]/.test(path)) return 'it holds a control character';
  return undefined;
}

function suggestionFor(path: string): string | undefined {
  const merged = path.replace(/[?#].*$/s, '').replace(/\/{2,}/g, '/');
  return merged !== path && merged.startsWith('/') && reasonNeverMatched(merged) === undefined ? merged : undefined;
}
