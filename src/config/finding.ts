import type { ConfigProblem, ProblemPlace } from './problem.ts';
import type { KeyPath } from './schema-walk.ts';

/** A mistake by its key path, before anybody looked up where that stands. */
export interface Finding {
  readonly path: KeyPath;
  /** Whether the key itself is wrong, or what stands behind it. */
  readonly at: 'key' | 'value';
  readonly message: string;
  readonly found: string;
  readonly allowed: string;
  readonly suggestion?: string | undefined;
  /** Known already, for what has no key path, such as broken syntax. */
  readonly place?: ProblemPlace;
}

/** Says where a key path stands. */
export type Locate = (path: KeyPath, at: Finding['at']) => ProblemPlace;

export function toProblem(finding: Finding, locate: Locate): ConfigProblem {
  const { path, at, message, found, allowed, suggestion, place = locate(path, at) } = finding;
  const shown = holdsSecret(path) ? { ...place, sourceLine: undefined } : place;
  const problem = { ...shown, keyPath: formatKeyPath(path), message, found, allowed };
  return suggestion === undefined ? problem : { ...problem, suggestion };
}

/** Whether a password or a key may stand there, which no message is to repeat. */
function holdsSecret(path: KeyPath): boolean {
  const basic = path.indexOf('basic');
  const jwt = path.indexOf('jwt');
  const isPassword = basic >= 0 && path[basic + 1] === 'users';
  return isPassword || (jwt >= 0 && path[jwt + 1] === 'secret') || path.includes('externalAccount');
}

/** `['sites', 0, 'errorPages', '4xx']` as `sites[0].errorPages.4xx`. */
export function formatKeyPath(path: KeyPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[\w-]+$/.test(String(step))) text += text === '' ? String(step) : `.${String(step)}`;
    else text += `[${JSON.stringify(String(step))}]`;
  }
  return text;
}

/** A value as a message shows it: `"ap"`, `30`, `a list`. Long text is cut. */
export function describeFound(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  return typeof value === 'object' ? 'a mapping' : `a ${typeof value}`;
}

const longestQuote = 60;

/** Text in quotes, control characters escaped, cut when long. */
export function quote(text: string): string {
  return JSON.stringify(text.length > longestQuote ? `${text.slice(0, longestQuote)}…` : text);
}
