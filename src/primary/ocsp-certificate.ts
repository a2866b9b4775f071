import type { Logger } from '../log/logger.ts';
import { metricNames } from '../metrics/names.ts';
import type { Recorder } from '../metrics/recorder.ts';
import { OcspError, type OcspFailure } from '../ocsp/ocsp-error.ts';
import { fetchOcsp } from '../ocsp/ocsp-fetch.ts';
import type { OcspSubject } from '../ocsp/ocsp-subject.ts';
import { type Staple, verifyResponse } from '../ocsp/ocsp-verification.ts';
import { ocspRetryDelay, refreshDelay } from '../ocsp/refresh-time.ts';

/** Clocks may be set, and timers of Node.js reach no further than 24 days: nothing is slept through. */
const longestSleepMs = 6 * 3_600_000;

/** What the certificates have in common. */
export interface OcspResources {
  readonly logger: Logger;
  readonly recorder: Recorder;
  /** Called when a certificate has another response, or none any more. */
  readonly changed: () => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly random: () => number;
}

/** Keeps the response about one certificate up to date. */
export class OcspCertificate {
  readonly #subject: OcspSubject;
  readonly #name: string;
  readonly #mustStaple: boolean;
  readonly #resources: OcspResources;
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #staple: Staple | undefined;
  #failures = 0;
  #dueAt = 0;

  /** @param name of the certificate, for metrics and the log */
  constructor(subject: OcspSubject, name: string, mustStaple: boolean, resources: OcspResources) {
    this.#subject = subject;
    this.#name = name;
    this.#mustStaple = mustStaple;
    this.#resources = resources;
  }

  /** What proves that the certificate is good; undefined when nothing does now. */
  get staple(): Staple | undefined {
    return this.#staple;
  }

  start(): void {
    this.#showValidity();
    void this.#wake();
  }

  stop(): void {
    this.#stop.abort();
    clearTimeout(this.#timer);
    this.#staple = undefined;
    this.#showValidity();
  }

  async #wake(): Promise<void> {
    const { now } = this.#resources;
    if (now() >= this.#dueAt) await this.#fetch();
    if (this.#stop.signal.aborted) return;
    this.#dropExpired();
    const next = Math.min(this.#dueAt, this.#staple?.validUntil ?? this.#dueAt);
    const sleep = Math.min(Math.max(next - now(), 1), longestSleepMs);
    this.#timer = setTimeout(() => void this.#wake(), sleep).unref();
  }

  async #fetch(): Promise<void> {
    const { now, random } = this.#resources;
    try {
      const bytes = await fetchOcsp(this.#subject, this.#stop.signal);
      const staple = verifyResponse(bytes, this.#subject, now());
      if (!this.#stop.signal.aborted) this.#succeeded(staple);
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      const known = error instanceof OcspError ? error : undefined;
      this.#failed(known?.failure ?? 'invalid', error instanceof Error ? error.message : String(error));
      this.#dueAt = now() + ocspRetryDelay(this.#failures, random());
    }
  }

  #succeeded(staple: Staple): void {
    const { logger, now, random, changed } = this.#resources;
    const isFirst = this.#staple === undefined;
    this.#count('good');
    this.#failures = 0;
    this.#staple = staple;
    this.#dueAt = now() + refreshDelay(staple, now(), random());
    this.#showValidity();
    const until = new Date(staple.validUntil).toISOString();
    logger[isFirst ? 'info' : 'debug'](`a good OCSP response about ${this.#name} is stapled, valid until ${until}`);
    changed();
  }

  #failed(failure: OcspFailure, message: string): void {
    const { logger } = this.#resources;
    this.#count(failure);
    this.#failures += 1;
    const isRevoked = failure === 'revoked';
    if (isRevoked) this.#drop();
    const text = `OCSP about ${this.#name}: ${message}${this.#consequence()}`;
    const isGrave = isRevoked || (this.#mustStaple && this.#staple === undefined);
    if (isGrave) logger.error(text, { failure, failures: this.#failures });
    else logger[this.#failures === 1 ? 'warn' : 'debug'](text, { failure, failures: this.#failures });
  }

  #consequence(): string {
    if (this.#staple !== undefined) return '; the former response is stapled while it counts';
    if (this.#mustStaple) return '; nothing is stapled, and clients that know the promise in the certificate refuse it';
    return '; nothing is stapled';
  }

  /** Workers do not send it any more by themselves. */
  #dropExpired(): void {
    if (this.#staple === undefined || this.#resources.now() < this.#staple.validUntil) return;
    this.#drop();
    this.#resources.logger.warn(`the OCSP response about ${this.#name} counts no more${this.#consequence()}`);
  }

  #drop(): void {
    if (this.#staple === undefined) return;
    this.#staple = undefined;
    this.#showValidity();
    this.#resources.changed();
  }

  #count(result: 'good' | OcspFailure): void {
    this.#resources.recorder.counter(metricNames.ocspFetches, { certificate: this.#name, result }).add(1);
  }

  #showValidity(): void {
    const seconds = this.#staple === undefined ? Number.NaN : this.#staple.validUntil / 1000;
    this.#resources.recorder.gauge(metricNames.ocspValidUntil, { certificate: this.#name }).set(seconds);
  }
}
