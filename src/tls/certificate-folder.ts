import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { CertificateFiles } from './certificate.ts';

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
