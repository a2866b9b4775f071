import { encodePath } from '../http/uri-path.ts';
import { normalizePath } from './path.ts';

/** Where an application redirects a request to. */
export interface InternalTarget {
  /** Normalised, for matching and for files. */
  readonly path: string;
  /** Fit to be sent upstream. */
  readonly rawPath: string;
  readonly query: string | undefined;
}

const dotDotSegment = /(?:^|\/)(?:\.|%2e){2}(?:\/|$)/i;
/** What may stand in a request line. */
const sendable = /^[\x21-\x7e]*$/;

/**
 * Reads X-Accel-Redirect as NGINX does: a path, percent-encoded, and perhaps a query behind a `?`. Bytes that are not
 * encoded are taken as they are. Paths with `..` in them are refused even where they lead back into the folder, and
 * so is whatever `normalizePath` refuses.
 * @param value Latin-1: one character a byte
 */
export function parseInternalTarget(value: string): InternalTarget | undefined {
  const question = value.indexOf('?');
  const rawPath = question < 0 ? value : value.slice(0, question);
  if (dotDotSegment.test(rawPath)) return undefined;
  const path = normalizePath(rawPath);
  if (path === undefined) return undefined;
  const query = question < 0 ? undefined : value.slice(question + 1);
  return {
    path,
    rawPath: sendable.test(rawPath) ? rawPath : encodePath(path),
    query: query === undefined || sendable.test(query) ? query : encodeBytes(query),
  };
}

/** Escapes what must not stand in a request line, byte for byte; escapes that are there stay. */
function encodeBytes(text: string): string {
  return text.replace(/[^\x21-\x7e]/g, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
