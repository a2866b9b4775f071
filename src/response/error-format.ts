import { parseQualityList } from '../http/quality-list.ts';

/** How an error is told: to a person with a browser, to a program, or to a terminal. */
export type ErrorFormat = 'html' | 'json' | 'text';

/**
 * The form of an error that an Accept field asks for (RFC 9110 section 12.5.1): the higher weight, then the one named
 * first. Only types named outright count: a mere wildcard, or no field at all, is what command-line clients send, and
 * they get plain text.
 */
export function chooseErrorFormat(accept: string | undefined): ErrorFormat {
  let best: ErrorFormat = 'text';
  let bestQuality = 0;
  for (const { value, quality } of parseQualityList(accept ?? '')) {
    const format = formatOf(value);
    if (format === 'text' || quality <= bestQuality) continue;
    best = format;
    bestQuality = quality;
  }
  return best;
}

function formatOf(type: string): ErrorFormat {
  if (type === 'text/html' || type === 'application/xhtml+xml') return 'html';
  return type === 'application/json' || type.endsWith('+json') ? 'json' : 'text';
}
