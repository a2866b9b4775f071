import type { AcmeConfig } from '../acme/acme-config.ts';
import { AcmeStorage } from '../acme/acme-storage.ts';
import type { ChallengeType } from '../acme/challenge-response.ts';
import type { ListenAddress } from '../config/config.ts';
import type { Logger } from '../log/logger.ts';
import type { Recorder } from '../metrics/recorder.ts';
import { AcmeAnnouncer, type Broadcast } from './acme-announcer.ts';
import { AcmeCertificate, type AcmeResources } from './acme-certificate.ts';
import { AcmeMetrics } from './acme-metrics.ts';

export interface AcmeIssuerOptions {
  readonly logger: Logger;
  readonly recorder: Recorder;
  /** Tells all workers. */
  readonly broadcast: Broadcast;
  readonly now?: () => number;
  readonly random?: () => number;
}

/** Gets certificates from authorities for the whole program: workers only answer challenges, and read the files. */
export class AcmeIssuer {
  readonly announcer: AcmeAnnouncer;
  readonly #logger: Logger;
  readonly #resources: AcmeResources;
  #certificates = new Map<string, AcmeCertificate>();
  #lastTurn: Promise<unknown> = Promise.resolve();

  constructor({ logger, recorder, broadcast, now = Date.now, random = Math.random }: AcmeIssuerOptions) {
    this.#logger = logger;
    this.announcer = new AcmeAnnouncer(broadcast);
    this.#resources = {
      logger,
      metrics: new AcmeMetrics(recorder),
      present: (responses) => this.announcer.present(responses),
      inTurn: (act) => this.#inTurn(act),
      now,
      random,
    };
  }

  /**
   * Makes sure that there is something to serve with for each certificate, before the workers look.
   * @throws AcmeError when the storage cannot be used
   */
  prepare(listen: readonly ListenAddress[]): void {
    for (const config of certificatesOf(listen).values()) {
      if (!new AcmeStorage(config).prepare(this.#resources.now())) continue;
      const names = config.domains.join(', ');
      this.#logger.warn(`no certificate for ${names} yet: one that no browser trusts stands in until there is one`);
    }
  }

  /** As `prepare`. @returns why the storage cannot be used; undefined when it can */
  tryPrepare(listen: readonly ListenAddress[]): string | undefined {
    try {
      this.prepare(listen);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** Keeps the certificates of these listeners up to date from now on. Those that stay as they were go on undisturbed. */
  applyConfig(listen: readonly ListenAddress[]): void {
    const former = this.#certificates;
    this.#certificates = new Map();
    const started: AcmeCertificate[] = [];
    for (const config of certificatesOf(listen).values()) {
      const challenges = answerable(config, listen);
      const identity = JSON.stringify([config, challenges]);
      const same = former.get(identity);
      former.delete(identity);
      const certificate = same ?? new AcmeCertificate(config, challenges, this.#resources);
      if (same === undefined) started.push(certificate);
      this.#certificates.set(identity, certificate);
    }
    for (const certificate of former.values()) certificate.stop();
    for (const certificate of started) certificate.start();
  }

  close(): void {
    for (const certificate of this.#certificates.values()) certificate.stop();
    this.#certificates.clear();
    this.announcer.close();
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#lastTurn.then(act);
    // The next one comes whatever became of this one.
    this.#lastTurn = turn.catch(() => undefined);
    return turn;
  }
}

/** One for each file, whatever the number of listeners that serve with it. */
function certificatesOf(listen: readonly ListenAddress[]): Map<string, AcmeConfig> {
  const found = new Map<string, AcmeConfig>();
  for (const { tls } of listen) {
    if (tls?.acme !== undefined) found.set(`${tls.acme.storage} ${tls.acme.domains[0] ?? ''}`, tls.acme);
  }
  return found;
}

/** The kinds of challenges that some listener can answer: HTTP-01 comes without TLS, TLS-ALPN-01 with it. */
function answerable({ challenges }: AcmeConfig, listen: readonly ListenAddress[]): readonly ChallengeType[] {
  const plain = listen.some(({ tls }) => tls === undefined);
  const secure = listen.some(({ tls, engine }) => tls?.acme !== undefined && engine !== 'uws');
  const possible = challenges.filter((type) => (type === 'http-01' ? plain : secure));
  return possible.length === 0 ? challenges : possible;
}
