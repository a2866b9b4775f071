import { parseAge } from '../../http/age.ts';
import { parseAnyCaseDate } from '../../http/any-case-date.ts';
import type { HeaderFields } from '../../http/header-fields.ts';
import type { StoredResponse } from '../stored-response.ts';
import type { ExchangeTimes } from './received-response.ts';

/** What the age of a stored response is counted from; milliseconds. */
export interface AgeBase {
  readonly date: number;
  readonly initialAge: number;
}

/** The Date of a response, and its `corrected_initial_age` (RFC 9111 section 4.2.3). */
export function ageBaseOf(fields: HeaderFields, { requestTime, responseTime }: ExchangeTimes): AgeBase {
  const responseSeconds = Math.floor(responseTime / 1000);
  const dateSeconds = dateOf(fields, 'date', responseSeconds);
  // Date counts whole seconds: the fraction of one that has passed since is no age.
  const apparent = dateSeconds === undefined ? 0 : Math.max(0, responseSeconds - dateSeconds) * 1000;
  const age = fields.get('age');
  const said = age === undefined ? 0 : (parseAge(age) ?? 0) * 1000;
  // A clock that was set back meanwhile must not make anything younger.
  const delay = Math.max(0, responseTime - requestTime);
  return {
    date: dateSeconds === undefined ? responseTime : dateSeconds * 1000,
    initialAge: Math.max(apparent, said + delay),
  };
}

/** `current_age` (RFC 9111 section 4.2.3) in milliseconds. @param now milliseconds since 1970 */
export function ageMsOf(stored: Pick<StoredResponse, 'initialAge' | 'responseTime'>, now: number): number {
  const resident = now - stored.responseTime;
  return stored.initialAge + (resident > 0 ? resident : 0);
}

/** The value of the Age field (RFC 9111 section 5.1): whole seconds, never more than 2^31. */
export function ageOf(stored: Pick<StoredResponse, 'initialAge' | 'responseTime'>, now: number): number {
  return Math.min(Math.floor(ageMsOf(stored, now) / 1000), 2_147_483_648);
}

/** The seconds that a date field says; undefined without one that is valid. Of several the first counts. */
export function dateOf(fields: HeaderFields, name: string, nowSeconds: number): number | undefined {
  const value = fields.get(name);
  return value === undefined ? undefined : parseAnyCaseDate(value, nowSeconds);
}
