import { parseHttpDate } from './date.ts';
import { matchesEntityTag, parseEntityTag } from './etag.ts';

/** The conditional fields of a request; undefined where it has none. */
export interface Preconditions {
  readonly ifMatch: string | undefined;
  readonly ifUnmodifiedSince: string | undefined;
  readonly ifNoneMatch: string | undefined;
  readonly ifModifiedSince: string | undefined;
}

/** What is known of the representation that would be sent. */
export interface Validators {
  /** As in the ETag field, quotes included. */
  readonly etag: string;
  /** Unix time in whole seconds, as in the Last-Modified field. */
  readonly lastModified: number;
}

export type PreconditionResult = 'proceed' | 'not-modified' | 'failed';

/**
 * Evaluates the preconditions of a GET or HEAD in the order of RFC 9110 section 13.2.2. Range and If-Range come after
 * it, when the result is `proceed`. A date that cannot be read is as if it were not there (sections 13.1.3 and 13.1.4).
 */
export function evaluatePreconditions(
  request: Preconditions,
  { etag, lastModified }: Validators,
  nowSeconds: number,
): PreconditionResult {
  if (request.ifMatch !== undefined) {
    if (!matchesEntityTag(request.ifMatch, etag, 'strong')) return 'failed';
  } else if (request.ifUnmodifiedSince !== undefined) {
    const date = parseHttpDate(request.ifUnmodifiedSince, nowSeconds);
    if (date !== undefined && lastModified > date) return 'failed';
  }
  if (request.ifNoneMatch !== undefined) {
    return matchesEntityTag(request.ifNoneMatch, etag, 'weak') ? 'not-modified' : 'proceed';
  }
  if (request.ifModifiedSince !== undefined) {
    const date = parseHttpDate(request.ifModifiedSince, nowSeconds);
    if (date !== undefined && lastModified <= date) return 'not-modified';
  }
  return 'proceed';
}

/**
 * Whether a Range field may be obeyed under this If-Range value (RFC 9110 section 13.1.5): an entity tag that matches
 * strongly, or exactly the date of Last-Modified when that is more than a second old (younger, the file may have
 * changed twice within it: section 8.8.2.2).
 */
export function ifRangeHolds(value: string | undefined, validators: Validators, nowSeconds: number): boolean {
  if (value === undefined) return true;
  const tag = parseEntityTag(value);
  if (tag !== undefined) return !tag.weak && tag.opaque === validators.etag;
  const date = parseHttpDate(value, nowSeconds);
  return date === validators.lastModified && nowSeconds - validators.lastModified > 1;
}
