import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { CertificateError } from './certificate.ts';

const certificateBlock = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Reads a file of authorities or of revocations, and looks whether all of it can be used.
 * @throws CertificateError
 */
export function readPem(file: string, kind: 'CERTIFICATE' | 'X509 CRL'): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`;
    throw new CertificateError(file, why, { cause });
  }
  if (text.includes(`-----BEGIN ${kind}-----`)) {
    try {
      // OpenSSL looks whether it can read it.
      if (kind === 'X509 CRL') createSecureContext({ crl: text });
      // Of authorities OpenSSL would pass over those that it cannot read.
      else text.match(certificateBlock)?.map((block) => new X509Certificate(block));
      return text;
    } catch (cause) {
      throw new CertificateError(file, 'it is damaged', { cause });
    }
  }
  throw new CertificateError(
    file,
    `there is no ${kind === 'CERTIFICATE' ? 'certificate' : 'revocation list'} in PEM in it`,
  );
}
