/** A response that workers staple, and to which certificate. */
export interface StapleEntry {
  /** SHA-256 of the certificate, as `X509Certificate.fingerprint256`. */
  readonly fingerprint: string;
  readonly response: Uint8Array;
  /** Milliseconds since 1970. */
  readonly validUntil: number;
}

/** The responses that a worker has to staple. */
export class OcspStaples {
  readonly #entries = new Map<string, { readonly response: Buffer; readonly validUntil: number }>();
  readonly #now: () => number;

  /** @param now milliseconds since 1970 */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Takes these in the place of those before. */
  replace(entries: readonly StapleEntry[]): void {
    this.#entries.clear();
    for (const { fingerprint, response, validUntil } of entries) {
      this.#entries.set(fingerprint, { response: Buffer.from(response), validUntil });
    }
  }

  /** What to staple to a certificate; undefined when there is nothing, or nothing that counts any more. */
  find(fingerprint: string): Buffer | undefined {
    const entry = this.#entries.get(fingerprint);
    return entry !== undefined && this.#now() < entry.validUntil ? entry.response : undefined;
  }
}
