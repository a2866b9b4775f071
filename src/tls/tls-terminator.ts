import { dirname } from 'node:path';
import type { SecureContext, TlsOptions } from 'node:tls';
import { readCertificate } from './certificate.ts';
import { certificatesIn } from './certificate-folder.ts';
import { CertificateStore, type ContextOptions } from './certificate-store.ts';

/** TLS of one listener, compiled: absolute paths, times in milliseconds. */
export interface TlsConfig {
  readonly certificates: readonly { readonly certificate: string; readonly key: string }[];
  readonly directory?: string | undefined;
  readonly unknownNames: 'default' | 'refuse';
  readonly minVersion: '1.2' | '1.3';
  readonly handshakeTimeout: number;
  readonly http2: boolean;
}

// Mozilla's "intermediate" recommendation: forward secrecy and authenticated encryption only, the client's preference among them.
const ciphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');
const curves = 'X25519:prime256v1:secp384r1';

/**
 * Ends TLS for one listener. Lives as long as the listening socket: certificates are replaced in it, and each handshake
 * takes those that are there then.
 */
export class TlsTerminator {
  #config: TlsConfig;
  #store: CertificateStore;

  /** @throws CertificateError when a certificate cannot be used */
  constructor(config: TlsConfig) {
    this.#config = config;
    this.#store = load(config);
  }

  get store(): CertificateStore {
    return this.#store;
  }

  /**
   * Reads certificates anew, perhaps others.
   * @returns what puts them in force
   * @throws CertificateError; those that were there stay in force
   */
  prepare(config: TlsConfig = this.#config): () => void {
    const store = load(config);
    return () => {
      this.#store = store;
      this.#config = config;
    };
  }

  /** Folders in which a change may mean other certificates. */
  get folders(): readonly string[] {
    const files = this.#config.certificates.flatMap(({ certificate, key }) => [dirname(certificate), dirname(key)]);
    const { directory } = this.#config;
    return [...new Set(directory === undefined ? files : [...files, directory])];
  }

  /** What is offered to clients by ALPN (RFC 7301), best first. */
  get protocols(): string[] {
    return this.#config.http2 ? ['h2', 'http/1.1'] : ['http/1.1'];
  }

  /** What a server is made with. */
  get serverOptions(): TlsOptions {
    return {
      ...contextOptions(this.#config),
      handshakeTimeout: this.#config.handshakeTimeout,
      // Called for every handshake in which the client names a host; the others get the context set below.
      SNICallback: (name, done) => this.#choose(name, done),
      ...firstPair(this.#store),
    };
  }

  #choose(name: string, done: (error: Error | null, context?: SecureContext) => void): void {
    const context = this.#store.find(name);
    if (context !== undefined) return done(null, context);
    if (this.#config.unknownNames === 'refuse') return done(new Error('no certificate for that name'));
    done(null, this.#store.default);
  }
}

function load(config: TlsConfig): CertificateStore {
  const files = [...config.certificates, ...(config.directory === undefined ? [] : certificatesIn(config.directory))];
  return new CertificateStore(files.map(readCertificate), contextOptions(config));
}

function contextOptions({ minVersion }: TlsConfig): ContextOptions {
  return { minVersion: `TLSv${minVersion}`, ciphers, ecdhCurve: curves, honorCipherOrder: false };
}

/** For clients that name no host. */
function firstPair({ certificates }: CertificateStore): { cert: string; key: string } | Record<string, never> {
  const [first] = certificates;
  return first === undefined ? {} : { cert: first.chain, key: first.key };
}
