import type { ChallengeResponse } from './challenge-response.ts';

/** Where authorities ask for tokens (RFC 8555 section 8.3). */
export const challengePath = '/.well-known/acme-challenge/';

/** What proves to an authority that a name leads here, in PEM. */
export interface ProofPair {
  readonly certificate: string;
  readonly key: string;
}

/** The challenges that a worker answers now. */
export class PendingChallenges {
  readonly #tokens = new Map<string, string>();
  readonly #certificates = new Map<string, ProofPair>();

  /** Whether any request may be one of an authority's. Asked for each request. */
  get hasTokens(): boolean {
    return this.#tokens.size > 0;
  }

  /** Whether any connection may be one of an authority's. Asked for each connection with TLS. */
  get hasCertificates(): boolean {
    return this.#certificates.size > 0;
  }

  /** Takes these in the place of those before. */
  replace(responses: readonly ChallengeResponse[]): void {
    this.#tokens.clear();
    this.#certificates.clear();
    for (const response of responses) {
      if (response.type === 'http-01') this.#tokens.set(response.token, response.keyAuthorization);
      else this.#certificates.set(response.name, response);
    }
  }

  /** What to answer to a request for that path; undefined when no authority was told to ask for it. */
  keyAuthorization(path: string): string | undefined {
    return path.startsWith(challengePath) ? this.#tokens.get(path.slice(challengePath.length)) : undefined;
  }

  /** What to show to an authority that asks for that name by `acme-tls/1`. */
  certificateFor(name: string): ProofPair | undefined {
    return this.#certificates.get(name.toLowerCase());
  }
}
