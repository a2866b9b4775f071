/** How an error is told: to a person with a browser, to a program, or to a terminal. */
export type ErrorFormat = 'html' | 'json' | 'text';

/**
 * The form of an error that an Accept field asks for (RFC 9110 section 12.5.1). Only types named outright count: a mere
 * wildcard, or no field at all, is what command-line clients send, and they get plain text.
 */
export function chooseErrorFormat(accept: string | undefined): ErrorFormat {
  if (accept === undefined) return 'text';
  let html = 0;
  let json = 0;
  let first: ErrorFormat = 'text';
  for (const range of accept.split(',')) {
    const kind = formatOf(mediaType(range));
    if (kind === 'text') continue;
    const weight = weightOf(range);
    if (kind === 'html') html = Math.max(html, weight);
    else json = Math.max(json, weight);
    if (first === 'text' && weight > 0) first = kind;
  }
  // Equal weights, most often both 1: the one named first.
  if (html === json) return first;
  return html > json ? 'html' : 'json';
}

function formatOf(type: string): ErrorFormat {
  if (type === 'text/html' || type === 'application/xhtml+xml') return 'html';
  return type === 'application/json' || type.endsWith('+json') ? 'json' : 'text';
}

function mediaType(range: string): string {
  const end = range.indexOf(';');
  return (end === -1 ? range : range.slice(0, end)).trim().toLowerCase();
}

const weight = /;[\t ]*q[\t ]*=[\t ]*([01](?:\.\d{0,3})?)[\t ]*(?:;|$)/i;

/** The q of one range: 1 unless it says otherwise in a form that the grammar allows. */
function weightOf(range: string): number {
  const found = weight.exec(range);
  return found === null ? 1 : Math.min(Number(found[1]), 1);
}
