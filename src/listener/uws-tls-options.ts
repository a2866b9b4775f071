import type { CertificateStore } from '../tls/certificate-store.ts';
import type { UwsTlsOptions } from './uws-api.ts';

/** Mozilla's "intermediate" recommendation, as on the other engine; those of TLS 1.3 are BoringSSL's own. */
const ciphers = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/**
 * What uWebSockets.js speaks TLS with: the one certificate of a listener.
 * @throws Error when there is not just one: the others would never be shown
 */
export function uwsTlsOptions({ certificates }: Pick<CertificateStore, 'certificates'>): UwsTlsOptions {
  const [certificate] = certificates;
  if (certificate === undefined || certificates.length > 1) {
    throw new Error(`the uws engine serves with one certificate, and there are ${certificates.length}`);
  }
  const { files } = certificate;
  return { cert_file_name: files.certificate, key_file_name: files.key, ssl_ciphers: ciphers };
}
