import type { AcmeConfig } from '../acme/acme-config.ts';
import type { CertificateFiles } from './certificate.ts';

/** What browsers are told by Strict-Transport-Security (RFC 6797). */
export interface HstsConfig {
  /** Milliseconds. */
  readonly maxAge: number;
  readonly includeSubDomains: boolean;
  readonly preload: boolean;
}

/** Certificates that clients show. */
export interface ClientCertificatesConfig {
  /** Absolute path of the authorities' certificates. */
  readonly ca: string;
  readonly mode: 'required' | 'optional';
  /** Absolute path. */
  readonly revocationList?: string | undefined;
  /** Names of the fields that tell the application. */
  readonly headers: { readonly verified: string; readonly subject: string; readonly fingerprint: string };
}

/** TLS to the servers of an upstream, compiled: absolute paths. */
export interface UpstreamTlsConfig {
  /** In the place of the servers' own names. */
  readonly serverName?: string | undefined;
  readonly verify: boolean;
  /** Undefined: the system's authorities. */
  readonly ca?: string | undefined;
  /** What servers are shown that ask for a certificate. */
  readonly client?: CertificateFiles | undefined;
}

/** TLS of one listener, compiled: absolute paths, times in milliseconds. */
export interface TlsConfig {
  readonly certificates: readonly CertificateFiles[];
  /** Keeps the last of the certificates up to date. */
  readonly acme?: AcmeConfig | undefined;
  readonly directory?: string | undefined;
  readonly unknownNames: 'default' | 'refuse';
  readonly minVersion: '1.2' | '1.3';
  readonly handshakeTimeout: number;
  readonly http2: boolean;
  /** Whether responses of authorities about the certificates are fetched and stapled. */
  readonly ocsp: 'auto' | 'off';
  readonly hsts?: HstsConfig | undefined;
  readonly clientCertificates?: ClientCertificatesConfig | undefined;
}
