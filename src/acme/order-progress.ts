import { AcmeError, describeProblem, readProblem } from './acme-error.ts';
import type { JsonAnswer } from './acme-session.ts';
import type { ChallengeType } from './challenge-response.ts';

/* What an authority says about orders (RFC 8555 section 7.1.3) and authorizations (section 7.1.4), read strictly. */

export interface OrderState {
  readonly status: 'pending' | 'ready' | 'processing' | 'valid' | 'invalid';
  readonly authorizations: readonly string[];
  readonly finalize: string;
  readonly certificate: string | undefined;
  /** Why it is invalid, in words. */
  readonly error: string | undefined;
  readonly retryAfterMs: number | undefined;
}

export interface AuthorizationState {
  readonly name: string;
  /** `pending` and `valid`; every other means that it is of no use. */
  readonly status: string;
  readonly challenges: readonly ChallengeState[];
  readonly retryAfterMs: number | undefined;
}

export interface ChallengeState {
  readonly type: string;
  readonly url: string;
  readonly status: string;
  readonly token: string;
  readonly error: string | undefined;
}

const orderStatuses = ['pending', 'ready', 'processing', 'valid', 'invalid'] as const;
/** RFC 8555 section 8.3: base64url, so that it can neither leave its path segment nor a header line. */
const tokenForm = /^[A-Za-z0-9_-]{1,256}$/;

/** @throws AcmeError when it makes no sense */
export function readOrder({ json, retryAfterMs }: JsonAnswer): OrderState {
  const status = orderStatuses.find((each) => each === json['status']);
  const { authorizations, finalize, certificate } = json;
  if (status === undefined || !Array.isArray(authorizations) || typeof finalize !== 'string') {
    throw new AcmeError('protocol', 'the authority described an order in a way that makes no sense');
  }
  return {
    status,
    authorizations: authorizations.map(String),
    finalize,
    certificate: typeof certificate === 'string' ? certificate : undefined,
    error: errorOf(json),
    retryAfterMs,
  };
}

/** @throws AcmeError when it makes no sense */
export function readAuthorization({ json, retryAfterMs }: JsonAnswer): AuthorizationState {
  const { status, challenges, identifier } = json;
  const name = (identifier as { value?: unknown } | undefined)?.value;
  if (typeof status !== 'string' || !Array.isArray(challenges) || typeof name !== 'string') {
    throw new AcmeError('protocol', 'the authority described an authorization in a way that makes no sense');
  }
  return { name: name.toLowerCase(), status, challenges: challenges.flatMap(readChallenge), retryAfterMs };
}

/** The challenge to take on: the first of these kinds that the authority offers. */
export function chooseChallenge(state: AuthorizationState, kinds: readonly ChallengeType[]): ChallengeState {
  for (const kind of kinds) {
    const found = state.challenges.find(({ type }) => type === kind);
    if (found !== undefined) return found;
  }
  const offered = state.challenges.map(({ type }) => type).join(', ');
  throw new AcmeError('refused', `the authority offers ${offered} for ${state.name}, and none of ${kinds.join(', ')}`);
}

/** Why the authority does not believe that the name is ours. */
export function validationError({ name, status, challenges }: AuthorizationState): AcmeError {
  const failed = challenges.find(({ error }) => error !== undefined);
  const why = failed === undefined ? `its authorization is ${status}` : `by ${failed.type}: ${failed.error}`;
  return new AcmeError('validation', `${name} could not be validated ${why}`);
}

function readChallenge(value: unknown): ChallengeState[] {
  const json = value as Record<string, unknown> | null;
  if (typeof json !== 'object' || json === null) return [];
  const { type, url, status, token } = json;
  if (typeof type !== 'string' || typeof url !== 'string' || typeof token !== 'string') return [];
  return tokenForm.test(token) ? [{ type, url, status: String(status), token, error: errorOf(json) }] : [];
}

function errorOf(json: Readonly<Record<string, unknown>>): string | undefined {
  const { error } = json;
  return error === undefined || error === null ? undefined : describeProblem(readProblem(error));
}
