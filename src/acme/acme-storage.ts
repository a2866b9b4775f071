import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Certificate, readCertificate } from '../tls/certificate.ts';
import { type AcmeConfig, certificateFiles } from './acme-config.ts';
import { AcmeError } from './acme-error.ts';
import { standInCertificate } from './own-certificate.ts';

/** Readable by the owner alone: there are keys in all of these. */
const folderMode = 0o700;
const fileMode = 0o600;

/** An account with an authority. */
export interface StoredAccount {
  /** PEM. */
  readonly key: string;
  /** As the authority knows it; undefined while it does not. */
  readonly url?: string | undefined;
  readonly email?: string | undefined;
}

/** An order under way, so that another start of the program goes on with it. */
export interface StoredOrder {
  readonly url: string;
  /** PEM: the key that the certificate will be for. */
  readonly key: string;
  readonly directory: string;
  readonly domains: readonly string[];
  readonly keyType: AcmeConfig['keyType'];
}

/** Where a certificate came from. */
export interface StoredOrigin {
  /** SHA-256 of the certificate that this is about. */
  readonly fingerprint: string;
  readonly directory: string;
}

/**
 * The files of one certificate: `certificates/NAME.pem` with key and chain, `orders/NAME.json`, `origins/NAME.json`, and the
 * account that it has in common with others, `accounts/HASH.json`. Each is replaced as a whole or not at all.
 */
export class AcmeStorage {
  readonly #config: AcmeConfig;

  constructor(config: AcmeConfig) {
    this.#config = config;
  }

  /**
   * Makes the folders, and a certificate that stands in where there is none that can be used.
   * @param now milliseconds since 1970
   * @returns whether one stands in from now on
   * @throws AcmeError when that is not possible
   */
  prepare(now: number): boolean {
    const { certificate: file } = certificateFiles(this.#config);
    attempt(`the folder ${this.#config.storage} cannot be used`, () => {
      for (const folder of ['', 'certificates', 'orders', 'origins', 'accounts']) {
        mkdirSync(join(this.#config.storage, folder), { recursive: true, mode: folderMode });
      }
    });
    if (this.certificate() !== undefined) return false;
    const { certificate, key } = standInCertificate(this.#config.domains, now);
    replaceFile(file, key + certificate);
    return true;
  }

  /** What is served now; undefined when there is nothing that can be. */
  certificate(): Certificate | undefined {
    try {
      return readCertificate(certificateFiles(this.#config));
    } catch {
      return undefined;
    }
  }

  /** @param pem key and chain @throws AcmeError */
  saveCertificate(pem: string, origin: StoredOrigin): void {
    // In this order: a certificate without its origin is ordered anew, which costs one order and nothing else.
    replaceFile(certificateFiles(this.#config).certificate, pem);
    this.#save('origins', origin);
  }

  origin(): StoredOrigin | undefined {
    return this.#read('origins') as StoredOrigin | undefined;
  }

  /** An order that was placed for the same; undefined when there is none. */
  order(): StoredOrder | undefined {
    const stored = this.#read('orders') as StoredOrder | undefined;
    const { directory, domains, keyType } = this.#config;
    const isSame =
      stored?.directory === directory && stored.keyType === keyType && String(stored.domains) === String(domains);
    return isSame ? stored : undefined;
  }

  saveOrder(order: Pick<StoredOrder, 'url' | 'key'>): void {
    const { directory, domains, keyType } = this.#config;
    this.#save('orders', { ...order, directory, domains, keyType } satisfies StoredOrder);
  }

  forgetOrder(): void {
    attempt('an order cannot be removed', () => rmSync(this.#fileIn('orders'), { force: true }));
  }

  account(): StoredAccount | undefined {
    return readJson(this.#accountFile) as StoredAccount | undefined;
  }

  saveAccount(account: StoredAccount): void {
    replaceFile(this.#accountFile, JSON.stringify(account));
  }

  /** One for each authority, and for each account there that it may be bound to. */
  get #accountFile(): string {
    const { directory, externalAccount, storage } = this.#config;
    const identity = createHash('sha256')
      .update(`${directory} ${externalAccount?.keyId ?? ''}`)
      .digest('hex');
    return join(storage, 'accounts', `${identity.slice(0, 16)}.json`);
  }

  #fileIn(folder: string): string {
    return join(this.#config.storage, folder, `${this.#config.domains[0] ?? ''}.json`);
  }

  #read(folder: string): unknown {
    return readJson(this.#fileIn(folder));
  }

  #save(folder: string, value: object): void {
    replaceFile(this.#fileIn(folder), JSON.stringify(value));
  }
}

/** A file that is not there or damaged counts as none: all of this can be had again. */
function readJson(file: string): unknown {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Whoever reads the file gets the former content or the new one, also after a loss of power. */
function replaceFile(file: string, text: string): void {
  const next = `${file}.new`;
  attempt(`${file} cannot be written`, () => {
    // What a crash may have left has other rights, perhaps.
    rmSync(next, { force: true });
    const descriptor = openSync(next, 'wx', fileMode);
    try {
      writeSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(next, file);
    syncFolder(dirname(file));
  });
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function attempt(what: string, act: () => void): void {
  try {
    act();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new AcmeError('storage', `${what} (${code ?? 'no reason'})`, { cause });
  }
}
