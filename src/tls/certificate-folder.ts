import { join } from 'node:path';
import type { CertificateFiles } from './certificate.ts';
import { diskFiles, type TlsFiles } from './tls-files.ts';

const certificateName = /^(.+)\.(?:pem|crt)$/;

/** The certificates of a folder that have a key beside them, in the order of their names. @throws when it cannot be read */
export function certificatesIn(folder: string, source: TlsFiles = diskFiles): CertificateFiles[] {
  const found: CertificateFiles[] = [];
  for (const name of source.names(folder)) {
    const base = certificateName.exec(name)?.[1];
    if (base === undefined) continue;
    const key = join(folder, `${base}.key`);
    if (source.has(key)) found.push({ certificate: join(folder, name), key });
  }
  return found;
}
