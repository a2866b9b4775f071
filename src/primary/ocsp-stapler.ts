import type { Logger } from '../log/logger.ts';
import type { Recorder } from '../metrics/recorder.ts';
import type { StapleEntry } from '../ocsp/ocsp-staples.ts';
import { ocspSubject, revocationFacts } from '../ocsp/ocsp-subject.ts';
import type { Certificate } from '../tls/certificate.ts';
import { chainOf } from '../tls/certificate-chain.ts';
import { OcspCertificate, type OcspResources } from './ocsp-certificate.ts';

/** What is known of a certificate without its key. */
export type PublicCertificate = Pick<Certificate, 'names' | 'chain' | 'leaf'>;

export interface OcspStaplerOptions {
  readonly logger: Logger;
  readonly recorder: Recorder;
  /** Tells all workers what they staple from now on. */
  readonly broadcast: (staples: readonly StapleEntry[]) => void;
  readonly now?: () => number;
  readonly random?: () => number;
}

/**
 * Has responders say that certificates are good still, once for all workers (RFC 6960), and the workers staple that
 * (RFC 6066 section 8). Nothing waits for it: without a response handshakes go without.
 */
export class OcspStapler {
  readonly #resources: OcspResources;
  readonly #broadcast: OcspStaplerOptions['broadcast'];
  /** By the fingerprint of the certificate; undefined for one that nobody can be asked about. */
  #certificates = new Map<string, OcspCertificate | undefined>();

  constructor({ logger, recorder, broadcast, now = Date.now, random = Math.random }: OcspStaplerOptions) {
    this.#broadcast = broadcast;
    this.#resources = { logger, recorder, now, random, changed: () => this.#broadcast(this.staples) };
  }

  /** What there is to staple now. */
  get staples(): StapleEntry[] {
    return [...this.#certificates].flatMap(([fingerprint, certificate]) => {
      const staple = certificate?.staple;
      return staple === undefined ? [] : [{ fingerprint, response: staple.response, validUntil: staple.validUntil }];
    });
  }

  /** Keeps responses about these certificates up to date from now on, and about no others. */
  apply(certificates: readonly PublicCertificate[]): void {
    const former = this.#certificates;
    this.#certificates = new Map();
    const started: OcspCertificate[] = [];
    for (const certificate of certificates) {
      const { fingerprint256 } = certificate.leaf;
      if (this.#certificates.has(fingerprint256)) continue;
      const known = former.has(fingerprint256);
      const one = known ? former.get(fingerprint256) : this.#certificateFor(certificate);
      former.delete(fingerprint256);
      if (!known && one !== undefined) started.push(one);
      this.#certificates.set(fingerprint256, one);
    }
    for (const one of former.values()) one?.stop();
    for (const one of started) one.start();
  }

  close(): void {
    this.apply([]);
  }

  #certificateFor({ names, chain, leaf }: PublicCertificate): OcspCertificate | undefined {
    const { responder, mustStaple } = revocationFacts(leaf);
    if (responder === undefined && !mustStaple) return undefined;
    const name = names[0] ?? 'a certificate without a name';
    const subject = ocspSubject(chainOf(chain));
    if (typeof subject !== 'string') return new OcspCertificate(subject, name, mustStaple, this.#resources);
    const why = mustStaple ? ', and clients that know the promise in the certificate refuse it' : '';
    this.#resources.logger.warn(`no OCSP response about ${name} is stapled: ${subject}${why}`);
    return undefined;
  }
}
