import type { Mistake } from './diagnosis.ts';
import { quote } from './finding.ts';

const allowed =
  'a path that starts with one slash, or an http:// or https:// URL; spaces and letters beyond ASCII percent-encoded';

/** What is wrong with the target of a redirect, which becomes the Location field (RFC 9110 section 10.2.2). */
export function redirectTargetMistake(target: string): Mistake | undefined {
  // Only printable ASCII: a line break would end the field, anything else has no agreed meaning in it.
  const printable = /^[\x21-\x7e]*$/.test(target) && !/["<>\\^`{|}]/.test(target);
  const isPath = target.startsWith('/') && !target.startsWith('//');
  const isUrl = /^https?:\/\/[^/]/i.test(target) && URL.canParse(target);
  if (printable && (isPath || isUrl)) return undefined;
  const suggestion = /^[A-Za-z0-9][\w.-]*\.[A-Za-z]{2,}(\/|$)/.test(target) ? `https://${target}` : undefined;
  return { message: `wrong target ${quote(target)}`, found: quote(target), allowed, suggestion };
}
