import { join } from 'node:path';
import type { CertificateFiles } from '../tls/certificate.ts';
import type { ChallengeType } from './challenge-response.ts';

/** A certificate that is to be had from an authority: the compiled `listen[].tls.acme`. Paths are absolute. */
export interface AcmeConfig {
  /** In lower case; the first names the certificate in files, logs and metrics. */
  readonly domains: readonly string[];
  readonly email?: string | undefined;
  /** URL of the authority's directory (RFC 8555 section 7.1.1). */
  readonly directory: string;
  /** PEM file with the certificates that the authority's own server is checked against; those of Node.js when left out. */
  readonly authority?: string | undefined;
  /** RFC 8555 section 7.3.4; the key in base64url. */
  readonly externalAccount?: { readonly keyId: string; readonly key: string } | undefined;
  readonly storage: string;
  /** Best first. */
  readonly challenges: readonly ChallengeType[];
  readonly keyType: 'ecdsa' | 'rsa';
  /** Percent of its lifetime after which a certificate is renewed. */
  readonly renewAt: number;
}

/** The folder of a storage that holds certificates and nothing else. */
export function certificateFolder({ storage }: Pick<AcmeConfig, 'storage'>): string {
  return join(storage, 'certificates');
}

/** Where the certificate lies: key and chain in one file, so that both are replaced at once. */
export function certificateFiles(config: Pick<AcmeConfig, 'storage' | 'domains'>): CertificateFiles {
  const file = join(certificateFolder(config), `${config.domains[0] ?? ''}.pem`);
  return { certificate: file, key: file };
}
