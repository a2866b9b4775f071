import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createSecureContext, rootCertificates, type SecureContext, type SecureContextOptions } from 'node:tls';
import { CertificateError, readCertificate } from './certificate.ts';
import { readPem } from './pem-file.ts';
import type { UpstreamTlsConfig } from './tls-config.ts';
import { diskFiles, type TlsFiles } from './tls-files.ts';

/** Where systems keep the authorities that they trust: Debian, Alpine; Fedora; openSUSE; others. */
const systemFiles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/** What connections to the servers of one upstream make their handshakes with: its files as they were when they were read. */
export interface UpstreamContext {
  readonly config: UpstreamTlsConfig;
  readonly secureContext: SecureContext;
  /** Of the configuration and of what is in the files: equal for what is equal. */
  readonly fingerprint: string;
}

/**
 * Reads the files of an upstream's TLS.
 * @param former is given back where nothing has changed, so that sessions and connections stay
 * @param source where those are read that the configuration names
 * @throws CertificateError when a file cannot be used
 */
export function readUpstreamContext(
  config: UpstreamTlsConfig,
  former?: UpstreamContext,
  source: TlsFiles = diskFiles,
): UpstreamContext {
  const { client } = config;
  const certificate = client === undefined ? undefined : readCertificate(client, source);
  const shown = certificate === undefined ? {} : { cert: certificate.chain, key: certificate.key };
  const ca = config.verify ? authorities(config.ca, source) : undefined;
  const hash = createHash('sha256').update(JSON.stringify([config, shown, ca]));
  const fingerprint = hash.digest('hex');
  if (former?.fingerprint === fingerprint) return former;
  const options: SecureContextOptions = { minVersion: 'TLSv1.2', ...shown, ...(ca === undefined ? {} : { ca }) };
  try {
    return { config, fingerprint, secureContext: createSecureContext(options) };
  } catch (cause) {
    // Of what OpenSSL refuses, such as keys that are too short, only those of the certificate are not found before.
    const { message } = cause as Error;
    throw new CertificateError(client?.certificate ?? config.ca ?? '', `it cannot be used: ${message}`, { cause });
  }
}

/** In PEM: of that file, of the system, or those that the runtime comes with where the system has none. */
function authorities(file: string | undefined, source: TlsFiles): string {
  if (file !== undefined) return readPem(file, 'CERTIFICATE', source);
  const system = systemFile();
  return system === undefined ? rootCertificates.join('\n') : readPem(system, 'CERTIFICATE');
}

function systemFile(): string | undefined {
  return [process.env['SSL_CERT_FILE'] ?? '', ...systemFiles].find((path) => path !== '' && existsSync(path));
}

/** The files that an upstream's TLS names: authorities, and the certificate that is shown. */
export function namedUpstreamFiles({ verify, ca, client }: UpstreamTlsConfig): readonly string[] {
  const shown = client === undefined ? [] : [client.certificate, client.key];
  return verify && ca !== undefined ? [ca, ...shown] : shown;
}

/** The file of the system's authorities, where they count. */
export function systemUpstreamFiles({ verify, ca }: UpstreamTlsConfig): readonly string[] {
  const file = verify && ca === undefined ? systemFile() : undefined;
  return file === undefined ? [] : [file];
}

/** What has the TLS of upstreams: those of a configuration. */
export type ConfiguredUpstreams = Readonly<Record<string, { readonly tls?: UpstreamTlsConfig | undefined }>>;

/** The contexts of all upstreams that speak TLS, by name, over reloads. */
export class UpstreamContexts {
  /** Where the files are read that configurations name. */
  source: TlsFiles = diskFiles;
  #byName: ReadonlyMap<string, UpstreamContext> = new Map();

  /**
   * Reads the files of all upstreams anew.
   * @throws CertificateError; what was read before stays
   */
  read(upstreams: ConfiguredUpstreams): void {
    const read = new Map<string, UpstreamContext>();
    for (const [name, { tls }] of Object.entries(upstreams)) {
      if (tls !== undefined) read.set(name, readUpstreamContext(tls, this.#byName.get(name), this.source));
    }
    this.#byName = read;
  }

  get(upstream: string): UpstreamContext | undefined {
    return this.#byName.get(upstream);
  }
}
