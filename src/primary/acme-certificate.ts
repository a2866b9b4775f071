import type { AcmeConfig } from '../acme/acme-config.ts';
import { AcmeError } from '../acme/acme-error.ts';
import { AcmeStorage } from '../acme/acme-storage.ts';
import { AuthorityConnection } from '../acme/authority-connection.ts';
import { CertificateOrder, type OrderResources } from '../acme/certificate-order.ts';
import type { ChallengeType } from '../acme/challenge-response.ts';
import { askRenewalInformation, type RenewalInformation, renewalIdentifier } from '../acme/renewal-information.ts';
import { renewalTime, timeInWindow } from '../acme/renewal-time.ts';
import { retryDelay } from '../acme/retry-delay.ts';
import type { Logger } from '../log/logger.ts';
import type { Certificate } from '../tls/certificate.ts';
import type { AcmeMetrics } from './acme-metrics.ts';

/** Clocks may be set, and timers of Node.js reach no further than 24 days: nothing is slept through. */
const longestSleepMs = 6 * 3_600_000;
const shortestSleepMs = 50;
const failedInquiryMs = 3_600_000;

/** What the certificates have in common. */
export interface AcmeResources {
  readonly logger: Logger;
  readonly metrics: AcmeMetrics;
  readonly present: OrderResources['present'];
  /** One order at a time. */
  readonly inTurn: <T>(act: () => Promise<T>) => Promise<T>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly random: () => number;
}

/** Keeps one certificate up to date: orders it when it is not what is configured, and renews it in time. */
export class AcmeCertificate {
  readonly config: AcmeConfig;
  readonly name: string;
  readonly #challenges: readonly ChallengeType[];
  readonly #resources: AcmeResources;
  readonly #storage: AcmeStorage;
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  /** Not before this, milliseconds since 1970. */
  #retryAt = 0;
  #renewal: { readonly fingerprint: string; readonly time: number } | undefined;
  #suggestion: (RenewalInformation & { readonly fingerprint: string; readonly time: number }) | undefined;
  #askAt = 0;

  /** @param challenges those that the listeners can answer, best first */
  constructor(config: AcmeConfig, challenges: readonly ChallengeType[], resources: AcmeResources) {
    this.config = config;
    this.name = config.domains[0] ?? '';
    this.#challenges = challenges;
    this.#resources = resources;
    this.#storage = new AcmeStorage(config);
  }

  start(): void {
    this.#resources.metrics.failing(this.name, 0);
    this.#wakeIn(0);
  }

  stop(): void {
    this.#stop.abort();
    clearTimeout(this.#timer);
    this.#resources.metrics.failing(this.name, undefined);
    this.#resources.metrics.next(this.name, undefined);
  }

  #wakeIn(milliseconds: number): void {
    if (this.#stop.signal.aborted) return;
    const sleep = Math.min(Math.max(milliseconds, shortestSleepMs), longestSleepMs);
    this.#timer = setTimeout(() => void this.#wake(), sleep);
  }

  async #wake(): Promise<void> {
    const { now, inTurn, metrics } = this.#resources;
    try {
      const certificate = this.#current();
      if (certificate !== undefined) await this.#ask(certificate);
      if (!this.#stop.signal.aborted && this.#dueAt(certificate) <= now()) await inTurn(() => this.#order(certificate));
    } catch (error) {
      this.#failed(error);
    }
    if (this.#stop.signal.aborted) return;
    const certificate = this.#current();
    const due = this.#dueAt(certificate);
    metrics.next(this.name, due);
    this.#wakeIn((certificate === undefined ? due : Math.min(due, this.#askAt)) - now());
  }

  /** The certificate that is served, when it is what is configured; whatever else lies there has to be replaced. */
  #current(): Certificate | undefined {
    const certificate = this.#storage.certificate();
    if (certificate === undefined) return undefined;
    const { domains, directory, keyType } = this.config;
    const origin = this.#storage.origin();
    const isOurs = origin?.directory === directory && origin.fingerprint === certificate.leaf.fingerprint256;
    const isSame = String([...certificate.names].toSorted()) === String([...domains].toSorted());
    const hasKey = certificate.keyType === (keyType === 'rsa' ? 'rsa' : 'ec');
    return isOurs && isSame && hasKey ? certificate : undefined;
  }

  #dueAt(certificate: Certificate | undefined): number {
    if (certificate === undefined) return this.#retryAt;
    const { renewAt } = this.config;
    const { fingerprint256: fingerprint } = certificate.leaf;
    if (this.#renewal?.fingerprint !== fingerprint) {
      this.#renewal = { fingerprint, time: renewalTime(certificate, renewAt, this.#resources.random()) };
    }
    const suggested = this.#suggestion?.fingerprint === fingerprint ? this.#suggestion.time : undefined;
    // A suggestion that comes too late is none.
    const time = suggested !== undefined && suggested < certificate.notAfter ? suggested : this.#renewal.time;
    return Math.max(time, this.#retryAt);
  }

  /** Asks the authority when to renew. What goes wrong there is no reason not to go on as configured. */
  async #ask(certificate: Certificate): Promise<void> {
    const { now, random, logger } = this.#resources;
    if (now() < this.#askAt) return;
    const { fingerprint256: fingerprint } = certificate.leaf;
    const connection = new AuthorityConnection(this.config.authority, this.#stop.signal);
    try {
      const information = await askRenewalInformation(this.config.directory, certificate.leaf, connection);
      const { window, explanation, pauseMs } = information;
      this.#askAt = now() + pauseMs;
      if (window === undefined) return;
      const former = this.#suggestion;
      const isSame =
        former?.fingerprint === fingerprint &&
        former.window?.start === window.start &&
        former.window.end === window.end;
      if (isSame) return;
      const time = timeInWindow(window, random());
      this.#suggestion = { ...information, fingerprint, time };
      const at = new Date(time).toISOString();
      logger.info(
        `the authority suggests to renew the certificate of ${this.name} at ${at}`,
        explanation === undefined ? {} : { explanation },
      );
    } catch (error) {
      this.#askAt = now() + ((error instanceof AcmeError ? error.retryAfterMs : undefined) ?? failedInquiryMs);
      logger.debug(`the authority was asked in vain about the renewal of ${this.name}`, { error });
    } finally {
      connection.close();
    }
  }

  async #order(former: Certificate | undefined): Promise<void> {
    const { logger, present, metrics } = this.#resources;
    const { signal } = this.#stop;
    if (signal.aborted) return;
    const connection = new AuthorityConnection(this.config.authority, signal);
    const resources = {
      storage: this.#storage,
      connection,
      present,
      delay: this.#delay,
      clock: () => performance.now(),
    };
    const names = this.config.domains.join(', ');
    logger.info(`ordering a certificate for ${names}`, { authority: this.config.directory });
    try {
      const order = new CertificateOrder(this.config, resources);
      const isSuggested = former !== undefined && this.#suggestion !== undefined;
      const leaf = await order.run(this.#kinds(), isSuggested ? renewalIdentifier(former.leaf) : undefined);
      this.#failures = 0;
      this.#retryAt = 0;
      this.#askAt = 0;
      metrics.ordered(this.name, 'issued');
      metrics.failing(this.name, 0);
      logger.info(`there is a certificate for ${names}, valid until ${new Date(leaf.validTo).toISOString()}`);
    } finally {
      connection.close();
    }
  }

  /** After a failure another kind comes first: one of both may be barred by a firewall or another proxy. */
  #kinds(): readonly ChallengeType[] {
    const turn = this.#failures % this.#challenges.length;
    return [...this.#challenges.slice(turn), ...this.#challenges.slice(0, turn)];
  }

  #failed(error: unknown): void {
    const { logger, metrics, now, random } = this.#resources;
    const known = error instanceof AcmeError ? error : undefined;
    if (this.#stop.signal.aborted || known?.failure === 'stopped') return;
    const failure = known?.failure ?? 'protocol';
    this.#failures += 1;
    const waitMs = Math.ceil(retryDelay(failure, this.#failures, random(), known?.retryAfterMs));
    this.#retryAt = now() + waitMs;
    metrics.ordered(this.name, failure);
    metrics.failing(this.name, this.#failures);
    const message = error instanceof Error ? error.message : String(error);
    logger.error(`no certificate for ${this.name}: ${message}; tried again in ${Math.ceil(waitMs / 1000)} s`, {
      failure,
      failures: this.#failures,
      ...(known?.problem === undefined ? { error } : { problem: JSON.stringify(known.problem) }),
    });
  }

  readonly #delay = (milliseconds: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const { signal } = this.#stop;
      const stopped = (): void => {
        clearTimeout(timer);
        reject(new AcmeError('stopped', 'stopped meanwhile'));
      };
      const timer = setTimeout(() => {
        signal.removeEventListener('abort', stopped);
        resolve();
      }, milliseconds);
      if (signal.aborted) stopped();
      else signal.addEventListener('abort', stopped, { once: true });
    });
}
