import { CertificateError, readCertificate } from '../tls/certificate.ts';
import { certificatesIn } from '../tls/certificate-folder.ts';
import type { TlsConfig } from '../tls/tls-terminator.ts';
import type { Diagnosis } from './diagnosis.ts';
import { folderMistake } from './file-check.ts';
import { quote } from './finding.ts';
import type { KeyPath } from './schema-walk.ts';
import { type ListenerTlsInput, noCertificateAllowed } from './tls-schema.ts';

const dayMs = 86_400_000;
const soonDays = 14;

/** Makes the paths of a listener's TLS absolute, and tries its certificates. */
export function compileTls(tls: ListenerTlsInput, path: KeyPath, diagnosis: Diagnosis): TlsConfig {
  const certificates = tls.certificates.map(({ certificate, key }) => ({
    certificate: diagnosis.absolute(certificate),
    key: diagnosis.absolute(key),
  }));
  const directory = tls.directory === undefined ? undefined : diagnosis.absolute(tls.directory);
  const mistake = directory === undefined ? undefined : folderMistake(directory);
  if (mistake !== undefined) diagnosis.report([...path, 'directory'], mistake);
  const found = directory === undefined || mistake !== undefined ? [] : certificatesIn(directory);
  if (certificates.length + found.length === 0 && mistake === undefined) {
    diagnosis.report(path, { message: 'TLS without a certificate', found: 'none', allowed: noCertificateAllowed });
  }
  for (const [index, files] of certificates.entries()) {
    tryCertificate(files, [...path, 'certificates', index], diagnosis);
  }
  for (const files of found) tryCertificate(files, [...path, 'directory'], diagnosis);
  return { ...tls, certificates, directory };
}

function tryCertificate(files: TlsConfig['certificates'][number], path: KeyPath, diagnosis: Diagnosis): void {
  try {
    const { notAfter, notBefore } = readCertificate(files);
    const now = Date.now();
    const days = Math.floor((notAfter - now) / dayMs);
    if (notAfter <= now) diagnosis.warn(`${files.certificate}: it expired on ${dayOf(notAfter)}`);
    else if (days < soonDays) diagnosis.warn(`${files.certificate}: it expires on ${dayOf(notAfter)}, in ${days} days`);
    if (notBefore > now) diagnosis.warn(`${files.certificate}: it is valid from ${dayOf(notBefore)} on only`);
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    const place = error.file === files.key && path.at(-2) === 'certificates' ? 'key' : 'certificate';
    const where = path.at(-2) === 'certificates' ? [...path, place] : path;
    const allowed = 'a certificate in PEM, and the private key that belongs to it';
    diagnosis.report(where, { message: error.message, found: quote(error.file), allowed });
  }
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
