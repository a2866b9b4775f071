import type { KeyObject } from 'node:crypto';
import { AcmeError, type AcmeFailure, describeProblem, readProblem } from './acme-error.ts';
import type { AuthorityAnswer, AuthorityConnection } from './authority-connection.ts';
import { type Signer, signRequest } from './jws.ts';

/** How often one request is made anew because of its nonce (RFC 8555 section 6.5). */
const mostNonces = 10;

/** Where an authority has what (RFC 8555 section 7.1.1). */
export interface AuthorityDirectory {
  readonly newNonce: string;
  readonly newAccount: string;
  readonly newOrder: string;
  /** RFC 9773 section 4.1. */
  readonly renewalInfo: string | undefined;
  readonly externalAccountRequired: boolean;
}

/** An answer whose body was JSON. */
export interface JsonAnswer extends AuthorityAnswer {
  readonly json: Readonly<Record<string, unknown>>;
}

/** Signed requests to one authority with one key. */
export class AcmeSession {
  readonly directory: AuthorityDirectory;
  readonly key: KeyObject;
  readonly #connection: AuthorityConnection;
  #nonce: string | undefined;

  private constructor(directory: AuthorityDirectory, key: KeyObject, connection: AuthorityConnection) {
    this.directory = directory;
    this.key = key;
    this.#connection = connection;
  }

  /** Asks the authority where it has what. @throws AcmeError */
  static async open(directoryUrl: string, key: KeyObject, connection: AuthorityConnection): Promise<AcmeSession> {
    const answer = await connection.get(directoryUrl);
    if (answer.status !== 200) throw refusal(directoryUrl, answer);
    return new AcmeSession(readDirectory(parse(directoryUrl, answer).json), key, connection);
  }

  /**
   * @param payload undefined for reading (POST-as-GET)
   * @throws AcmeError, for every status but those of success too
   */
  async post(url: string, signer: Signer, payload?: object): Promise<JsonAnswer> {
    return parse(url, await this.postForBytes(url, signer, payload));
  }

  /** As `post`, whatever the body of the answer is. */
  async postForBytes(url: string, signer: Signer, payload?: object): Promise<AuthorityAnswer> {
    for (let attempt = 1; ; attempt++) {
      const nonce = this.#nonce ?? (await this.#newNonce());
      // Each is good for one request.
      this.#nonce = undefined;
      const answer = await this.#connection.post(url, signRequest(this.key, { ...signer, nonce, url }, payload));
      this.#nonce = answer.nonce;
      if (answer.status >= 200 && answer.status < 300) return answer;
      const error = refusal(url, answer);
      if (error.problem?.type !== 'badNonce' || attempt >= mostNonces) throw error;
    }
  }

  /** Reads what needs no account. @throws AcmeError */
  async get(url: string): Promise<JsonAnswer> {
    const answer = await this.#connection.get(url);
    if (answer.status !== 200) throw refusal(url, answer);
    return parse(url, answer);
  }

  async #newNonce(): Promise<string> {
    const { newNonce } = this.directory;
    const answer = await this.#connection.head(newNonce);
    if (answer.nonce !== undefined) return answer.nonce;
    if (answer.status >= 400) throw refusal(newNonce, answer);
    throw new AcmeError('protocol', `the authority gave no nonce at ${newNonce}`);
  }
}

function readDirectory(json: JsonAnswer['json']): AuthorityDirectory {
  const urlOf = (name: string): string => {
    const url = json[name];
    if (typeof url === 'string') return url;
    throw new AcmeError('protocol', `the authority's directory has no ${name}`);
  };
  const { renewalInfo, meta } = json;
  const required = (meta as { externalAccountRequired?: unknown } | undefined)?.externalAccountRequired === true;
  return {
    newNonce: urlOf('newNonce'),
    newAccount: urlOf('newAccount'),
    newOrder: urlOf('newOrder'),
    renewalInfo: typeof renewalInfo === 'string' ? renewalInfo : undefined,
    externalAccountRequired: required,
  };
}

function parse(url: string, answer: AuthorityAnswer): JsonAnswer {
  const json = jsonOf(answer);
  if (typeof json === 'object' && json !== null) return { ...answer, json: json as JsonAnswer['json'] };
  throw new AcmeError('protocol', `the authority's answer from ${url} is no JSON object`);
}

function refusal(url: string, answer: AuthorityAnswer): AcmeError {
  const { status, retryAfterMs } = answer;
  const problem = readProblem(jsonOf(answer));
  const message = `the authority answered ${status} at ${url}: ${describeProblem(problem)}`;
  return new AcmeError(failureOf(status, problem.type), message, { problem, retryAfterMs });
}

function failureOf(status: number, type: string): AcmeFailure {
  if (type === 'rateLimited' || status === 429) return 'rate_limited';
  return status >= 500 ? 'unreachable' : 'refused';
}

function jsonOf({ body }: AuthorityAnswer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
