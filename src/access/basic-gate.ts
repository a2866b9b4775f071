import type { RequestContext } from '../request/request-context.ts';
import { PorticoError } from '../response/portico-error.ts';
import type { BasicAuthenticator, BasicUsersConfig, SignIn } from './basic-authenticator.ts';
import { readBasicCredentials } from './basic-credentials.ts';
import { type Gate, PendingVerdict } from './gate.ts';
import type { Refusals } from './refusals.ts';

/** Basic authentication (RFC 7617). */
export interface BasicConfig extends BasicUsersConfig {
  readonly realm: string;
  /** Name of the field that tells the application who it is; undefined for none. */
  readonly userField: string | undefined;
  /** Whether the application gets the password too. */
  readonly passAuthorization: boolean;
}

/** Lets requests pass that name a user and their password. */
export class BasicGate implements Gate {
  readonly #authenticator: BasicAuthenticator;
  readonly #userField: string | undefined;
  readonly #refusals: Refusals;
  readonly #missing: PorticoError;
  readonly #wrong: PorticoError;
  readonly #busy: PorticoError;

  constructor({ realm, userField }: BasicConfig, authenticator: BasicAuthenticator, refusals: Refusals) {
    this.#authenticator = authenticator;
    this.#userField = userField;
    this.#refusals = refusals;
    const fields = Buffer.from(`\r\nWWW-Authenticate: Basic realm="${realm}", charset="UTF-8"`, 'latin1');
    this.#missing = new PorticoError('authentication_required', 'no credentials', { fields });
    this.#wrong = new PorticoError('authentication_required', 'wrong user or password', { fields });
    const soon = Buffer.from('\r\nRetry-After: 1', 'latin1');
    this.#busy = new PorticoError('authentication_busy', 'too many passwords to check', { fields: soon });
  }

  ask(context: RequestContext): PorticoError | PendingVerdict | undefined {
    const sent = context.exchange.head.fields.all('authorization');
    const authorization = sent[0];
    if (authorization === undefined) return this.#refusals.refuse('credentials_missing', this.#missing);
    const credentials = sent.length > 1 ? undefined : readBasicCredentials(authorization);
    if (credentials === undefined) return this.#refusals.refuse('credentials_wrong', this.#wrong);
    const pending = new PendingVerdict();
    this.#authenticator.signIn(credentials, context.client?.address ?? '', (outcome) => {
      if (outcome === 'right' && this.#userField !== undefined) {
        context.requestFields += `${this.#userField}: ${credentials.user}\r\n`;
      }
      pending.settle(outcome === 'right' ? undefined : this.#refusal(outcome));
    });
    return pending;
  }

  #refusal(outcome: Exclude<SignIn, 'right'>): PorticoError {
    if (outcome === 'wrong') return this.#refusals.refuse('credentials_wrong', this.#wrong);
    if (outcome === 'busy') return this.#refusals.refuse('busy', this.#busy);
    const fields = Buffer.from(`\r\nRetry-After: ${Math.ceil(outcome.retryAfterMs / 1000)}`, 'latin1');
    return this.#refusals.refuse(
      'attempts',
      new PorticoError('too_many_attempts', 'too many wrong passwords', { fields }),
    );
  }
}
