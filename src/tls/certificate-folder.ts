import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { CertificateFiles } from './certificate.ts';
import type { TlsConfig } from './tls-config.ts';

const certificateName = /^(.+)\.(?:pem|crt)$/;

/** The certificates of a folder that have a key beside them, in the order of their names. @throws when it cannot be read */
export function certificatesIn(folder: string): CertificateFiles[] {
  const found: CertificateFiles[] = [];
  for (const name of readdirSync(folder).toSorted()) {
    const base = certificateName.exec(name)?.[1];
    if (base === undefined) continue;
    const key = join(folder, `${base}.key`);
    if (existsSync(key)) found.push({ certificate: join(folder, name), key });
  }
  return found;
}

/** Folders in which a change may mean other certificates of a listener. */
export function certificateFolders({ certificates, directory }: TlsConfig): string[] {
  const folders = certificates.flatMap(({ certificate, key }) => [dirname(certificate), dirname(key)]);
  return [...new Set(directory === undefined ? folders : [...folders, directory])];
}
