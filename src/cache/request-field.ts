import { requestCookie } from '../http/cookie.ts';
import type { RequestHead } from '../request/request-head.ts';

/** The value of a field of a request (name in lower case), or undefined. The one way in which hits look at fields. */
export function field(head: RequestHead, name: string): string | undefined {
  return head.fields.get(name);
}

/** The value of a cookie of a request, or undefined. */
export function cookie(head: RequestHead, name: string): string | undefined {
  return requestCookie(head.fields, name);
}

/** What a request has that a stored response has to be looked at for; bits of a number. */
export const RequestTrait = {
  authorization: 1,
  /** If-None-Match or If-Modified-Since. */
  validation: 2,
  range: 4,
  /** If-Match or If-Unmodified-Since, which only the origin can judge (RFC 9110 section 13.1). */
  originCondition: 8,
  /** Any that may make another answer of a stored response. */
  conditions: 2 | 4,
} as const;

/** The traits of a request. */
export function requestTraits(head: RequestHead): number {
  let traits = 0;
  if (field(head, 'authorization') !== undefined) traits |= RequestTrait.authorization;
  if (field(head, 'if-none-match') !== undefined || field(head, 'if-modified-since') !== undefined) {
    traits |= RequestTrait.validation;
  }
  if (field(head, 'range') !== undefined) traits |= RequestTrait.range;
  if (field(head, 'if-match') !== undefined || field(head, 'if-unmodified-since') !== undefined) {
    traits |= RequestTrait.originCondition;
  }
  return traits;
}
