import { createSecretKey, type KeyObject } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { requestCookie } from '../http/cookie.ts';
import type { RequestContext } from '../request/request-context.ts';
import { PorticoError } from '../response/portico-error.ts';
import { claimFields } from './claim-fields.ts';
import { type Gate, PendingVerdict, type Verdict } from './gate.ts';
import { type JwtRules, readJwt, type UnverifiedJwt, verifyJwt } from './jwt.ts';
import type { KeySource, KeySourceConfig } from './key-source.ts';
import type { Refusals } from './refusals.ts';
import { VerifiedCache } from './verified-cache.ts';

/** Tokens that let requests pass. */
export interface JwtConfig extends JwtRules {
  /** Where public keys come from; undefined with a secret. */
  readonly source: KeySourceConfig | undefined;
  readonly secret: string | undefined;
  /** Name of a cookie that may hold the token where there is no Authorization field. */
  readonly cookie: string | undefined;
  /** Fields for the application by claim. */
  readonly claims: Readonly<Record<string, string>>;
  readonly passAuthorization: boolean;
}

/** Tokens remembered, in each worker and for each route. */
const maxRemembered = 10_000;
/** Longest time that a token is not verified again, milliseconds. */
const rememberMs = 300_000;
/** Keys tried for a token that names none. */
const maxKeysTried = 8;

/** Lets requests pass that bring a token which an issuer has signed (RFC 7519, RFC 6750). */
export class JwtGate implements Gate {
  readonly #config: JwtConfig;
  readonly #source: KeySource | undefined;
  readonly #secret: KeyObject | undefined;
  readonly #refusals: Refusals;
  /** Lines for the application by token. */
  readonly #verified = new VerifiedCache<string>(maxRemembered);
  readonly #missing: PorticoError;

  constructor(config: JwtConfig, source: KeySource | undefined, refusals: Refusals) {
    this.#config = config;
    this.#source = source;
    this.#secret = config.secret === undefined ? undefined : createSecretKey(config.secret, 'utf8');
    this.#refusals = refusals;
    const fields = Buffer.from('\r\nWWW-Authenticate: Bearer', 'latin1');
    this.#missing = new PorticoError('authentication_required', 'no token', { fields });
  }

  ask(context: RequestContext): Verdict | PendingVerdict {
    const token = this.#tokenOf(context);
    if (token === undefined) return this.#refusals.refuse('token_missing', this.#missing);
    const source = this.#source;
    if (source === undefined || !source.stale) return this.#decide(token, context);
    return this.#afterRefresh(source, () => this.#decide(token, context));
  }

  /** Several tokens are none. */
  #tokenOf({ exchange }: RequestContext): string | undefined {
    const { fields } = exchange.head;
    const sent = fields.all('authorization');
    if (sent.length > 1) return undefined;
    const bearer = /^bearer +(\S+)$/i.exec(sent[0] ?? '')?.[1];
    const { cookie } = this.#config;
    return bearer ?? (cookie === undefined ? undefined : requestCookie(fields, cookie));
  }

  #decide(token: string, context: RequestContext): Verdict | PendingVerdict {
    const source = this.#source;
    if (source !== undefined && !source.ready) {
      const error = new PorticoError('authorizer_failed', 'there are no keys to verify tokens with');
      return this.#refusals.refuse('keys_missing', error);
    }
    const name = this.#verified.nameOf(String(source?.generation ?? 0), token);
    const remembered = this.#verified.get(name, performance.now());
    if (remembered !== undefined) {
      context.requestFields += remembered;
      return undefined;
    }
    const read = readJwt(token, this.#config.algorithms);
    if (typeof read === 'string') return this.#refuse(read);
    const keys = this.#keysFor(read);
    if (keys.length > 0) return this.#verify(read, keys, name, context);
    if (source === undefined || !source.mayAskAgain) return this.#refuse('its key is unknown');
    // The issuer may have a key by now that it had not when the keys were fetched.
    return this.#afterRefresh(source, () => {
      const newer = this.#keysFor(read);
      if (newer.length === 0) return this.#refuse('its key is unknown');
      return this.#verify(read, newer, this.#verified.nameOf(String(source.generation), token), context);
    });
  }

  #verify(read: UnverifiedJwt, keys: readonly KeyObject[], name: string, context: RequestContext): Verdict {
    const now = Date.now();
    const claims = verifyJwt(read, keys, this.#config, now);
    if (typeof claims === 'string') return this.#refuse(claims);
    const lines = claimFields(claims, this.#config.claims);
    if (lines === undefined) return this.#refuse('a claim of it cannot stand in a field');
    const { exp } = claims;
    const leftMs = typeof exp === 'number' ? exp * 1000 + this.#config.leeway - now : Number.POSITIVE_INFINITY;
    this.#verified.set(name, lines, performance.now() + Math.min(leftMs, rememberMs));
    context.requestFields += lines;
    return undefined;
  }

  #keysFor({ algorithm, keyId }: UnverifiedJwt): readonly KeyObject[] {
    if (this.#secret !== undefined) return [this.#secret];
    const fitting = (this.#source?.keys ?? []).filter(
      ({ id, algorithms }) => algorithms.has(algorithm) && (keyId === undefined || id === keyId),
    );
    return fitting.slice(0, maxKeysTried).map(({ key }) => key);
  }

  #afterRefresh(source: KeySource, decide: () => Verdict | PendingVerdict): PendingVerdict {
    const pending = new PendingVerdict();
    const settle = (): void => {
      const verdict = decide();
      if (verdict instanceof PendingVerdict) verdict.whenSettled((last) => pending.settle(last));
      else pending.settle(verdict);
    };
    void source
      .refresh()
      .then(settle)
      .catch((cause: unknown) => {
        pending.settle(new PorticoError('internal', 'verifying a token failed', { cause }));
      });
    return pending;
  }

  #refuse(reason: string): PorticoError {
    const fields = Buffer.from('\r\nWWW-Authenticate: Bearer error="invalid_token"', 'latin1');
    return this.#refusals.refuse(
      'token_invalid',
      new PorticoError('authentication_required', `the token: ${reason}`, { fields }),
    );
  }
}
