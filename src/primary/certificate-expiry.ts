import { statSync } from 'node:fs';
import type { ListenAddress } from '../config/config.ts';
import type { Logger } from '../log/logger.ts';
import { metricNames } from '../metrics/names.ts';
import type { Recorder } from '../metrics/recorder.ts';
import { type Certificate, type CertificateFiles, readCertificate } from '../tls/certificate.ts';
import { certificateFolders, certificatesIn } from '../tls/certificate-folder.ts';
import { FolderWatch } from '../tls/folder-watch.ts';
import type { PublicCertificate } from './ocsp-stapler.ts';

const dayMs = 86_400_000;
const checkMs = 60_000;
/** From how long before the end on the log tells of it every day. */
const warnDays = 21;
/** Names that stand in a label. */
const labelNames = 3;

interface Read {
  readonly changedAt: number;
  readonly facts: Pick<Certificate, 'names' | 'notAfter' | 'keyType' | 'chain' | 'leaf'>;
}

export interface CertificateExpiryOptions {
  readonly recorder: Recorder;
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Hears after each look which certificates there are whose listeners have OCSP responses stapled. */
  readonly stapled?: (certificates: readonly PublicCertificate[]) => void;
}

/**
 * Tells by metric when the certificates of the listeners expire, and by the log once a day when that is soon. Files are
 * looked at every minute and when something changes in their folders, those that have changed are read; while one cannot be read, what was in it before counts, as it
 * does for the workers.
 */
export class CertificateExpiry {
  readonly #options: Required<CertificateExpiryOptions>;
  #listen: readonly ListenAddress[] = [];
  #read = new Map<string, Read>();
  readonly #toldAt = new Map<string, number>();
  #shown = new Map<string, { names: string; key: string }>();
  #timer: NodeJS.Timeout | undefined;
  #watch: FolderWatch | undefined;

  constructor(options: CertificateExpiryOptions) {
    this.#options = { now: Date.now, stapled: () => undefined, ...options };
  }

  /** Watches the certificates of these listeners from now on. */
  applyConfig(listen: readonly ListenAddress[]): void {
    this.#listen = listen;
    const folders = new Set(listen.flatMap(({ tls }) => (tls === undefined ? [] : certificateFolders(tls))));
    this.#watch?.close();
    this.#watch = new FolderWatch([...folders], () => this.check(), this.#options.logger);
    this.check();
    this.#timer ??= setInterval(() => this.check(), checkMs).unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#watch?.close();
  }

  /** Looks at all files now. */
  check(): void {
    const read = new Map<string, Read>();
    for (const files of filesOf(this.#listen)) {
      const known = this.#readIfChanged(files);
      if (known !== undefined) read.set(files.certificate, known);
    }
    this.#read = read;
    for (const file of this.#toldAt.keys()) if (!read.has(file)) this.#toldAt.delete(file);
    this.#showAll();
    for (const [file, { facts }] of read) this.#tell(file, facts);
    const stapling = filesOf(this.#listen.filter(({ tls, engine }) => tls?.ocsp === 'auto' && engine !== 'uws'));
    this.#options.stapled(stapling.flatMap(({ certificate }) => read.get(certificate)?.facts ?? []));
  }

  #readIfChanged(files: CertificateFiles): Read | undefined {
    const former = this.#read.get(files.certificate);
    try {
      const changedAt = statSync(files.certificate).mtimeMs;
      if (former?.changedAt === changedAt) return former;
      const { names, notAfter, keyType, chain, leaf } = readCertificate(files);
      return { changedAt, facts: { names, notAfter, keyType, chain, leaf } };
    } catch {
      return former;
    }
  }

  #showAll(): void {
    const soonest = new Map<string, { names: string; key: string; notAfter: number }>();
    for (const { facts } of this.#read.values()) {
      const { notAfter } = facts;
      const labels = { names: facts.names.slice(0, labelNames).join(',') || 'none', key: facts.keyType };
      const id = `${labels.names} ${labels.key}`;
      if (notAfter < (soonest.get(id)?.notAfter ?? Number.POSITIVE_INFINITY)) soonest.set(id, { ...labels, notAfter });
    }
    const { recorder } = this.#options;
    const { tlsCertificateNotAfter: metric } = metricNames;
    for (const [id, labels] of this.#shown) if (!soonest.has(id)) recorder.gauge(metric, labels).set(Number.NaN);
    for (const { names, key, notAfter } of soonest.values())
      recorder.gauge(metric, { names, key }).set(notAfter / 1000);
    this.#shown = soonest;
  }

  #tell(file: string, { notAfter, names }: Read['facts']): void {
    const now = this.#options.now();
    const left = notAfter - now;
    const told = this.#toldAt.get(file);
    if (left >= warnDays * dayMs || (told !== undefined && now - told < dayMs)) return;
    this.#toldAt.set(file, now);
    const { logger } = this.#options;
    const fields = { names: names.slice(0, labelNames).join(','), notAfter: new Date(notAfter).toISOString() };
    if (left <= 0) logger.error(`the certificate ${file} has expired`, fields);
    else logger.warn(`the certificate ${file} expires in ${wholeDays(left)}`, fields);
  }
}

function filesOf(listen: readonly ListenAddress[]): CertificateFiles[] {
  return listen.flatMap(({ tls }) => {
    if (tls === undefined) return [];
    try {
      return [...tls.certificates, ...(tls.directory === undefined ? [] : certificatesIn(tls.directory))];
    } catch {
      return [...tls.certificates];
    }
  });
}

function wholeDays(ms: number): string {
  const days = Math.floor(ms / dayMs);
  return days === 1 ? '1 day' : `${days} days`;
}
