import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { dirname } from 'node:path';
import type { AcmeConfig } from '../acme/acme-config.ts';
import { type AcmeInput, externalKeyAllowed } from './acme-schema.ts';
import type { ListenAddress } from './config.ts';
import type { Diagnosis } from './diagnosis.ts';
import { fileMistake, writableFolderMistake } from './file-check.ts';
import { quote } from './finding.ts';
import { parseHostPattern } from './host-pattern.ts';
import type { KeyPath } from './schema-walk.ts';

// Authorities give it out in base64url, and some in base64.
const externalKeyForm = /^[A-Za-z0-9+/_-]{16,}={0,2}$/;
const letsEncrypt = 'https://acme-v02.api.letsencrypt.org/directory';
const letsEncryptStaging = 'https://acme-staging-v02.api.letsencrypt.org/directory';

/** Checks what is to be had from an authority, without asking it. */
export function compileAcme(acme: AcmeInput, path: KeyPath, diagnosis: Diagnosis): AcmeConfig {
  const { staging, directory, ...kept } = acme;
  if (staging && directory !== undefined) {
    const message = "staging is Let's Encrypt's, and directory names an authority";
    diagnosis.report([...path, 'staging'], { message, found: 'both', allowed: 'one of staging and directory' });
  }
  if (directory !== undefined && !URL.canParse(directory)) {
    const message = `wrong URL ${quote(directory)}`;
    diagnosis.report([...path, 'directory'], {
      message,
      found: quote(directory),
      allowed: 'the https:// URL of a directory',
    });
  }
  checkExternalAccount(acme, [...path, 'externalAccount', 'key'], diagnosis);
  const authority = acme.authority === undefined ? undefined : diagnosis.absolute(acme.authority);
  const unreadable = authority === undefined ? undefined : fileMistake(authority);
  if (unreadable !== undefined) diagnosis.report([...path, 'authority'], unreadable);
  const storage = diagnosis.absolute(acme.storage);
  const unwritable = writableFolderMistake(nearestFolder(storage));
  if (unwritable !== undefined) diagnosis.report([...path, 'storage'], unwritable);
  return {
    ...kept,
    domains: compileDomains(acme.domains, [...path, 'domains'], diagnosis),
    directory: directory ?? (staging ? letsEncryptStaging : letsEncrypt),
    authority,
    storage,
    challenges: [...new Set(acme.challenges)],
  };
}

function checkExternalAccount({ externalAccount }: AcmeInput, path: KeyPath, diagnosis: Diagnosis): void {
  if (externalAccount === undefined || externalKeyForm.test(externalAccount.key)) return;
  const message = 'the key of the external account is none';
  diagnosis.report(path, { message, found: `${externalAccount.key.length} characters`, allowed: externalKeyAllowed });
}

/** What listeners say about certificates has to go together, and somebody has to answer the authority. */
export function checkAcmeListeners(listen: readonly ListenAddress[], diagnosis: Diagnosis): void {
  const known = new Map<string, AcmeConfig>();
  for (const [index, { tls }] of listen.entries()) {
    if (tls?.acme === undefined) continue;
    const { acme } = tls;
    const path: KeyPath = ['listen', index, 'tls', 'acme'];
    const name = acme.domains[0] ?? '';
    const other = known.get(`${acme.storage} ${name}`);
    if (other !== undefined && JSON.stringify(other) !== JSON.stringify(acme)) {
      const message = `another listener wants a certificate for ${name} that is not the same`;
      diagnosis.report(path, { message, found: quote(name), allowed: 'the same for both, or another first name' });
    }
    known.set(`${acme.storage} ${name}`, acme);
    checkChallenges(acme, path, listen, diagnosis);
  }
}

function checkChallenges(
  acme: AcmeConfig,
  path: KeyPath,
  listen: readonly ListenAddress[],
  diagnosis: Diagnosis,
): void {
  const plain = listen.filter(({ tls }) => tls === undefined);
  const secure = listen.filter(({ tls, engine }) => tls?.acme !== undefined && engine !== 'uws');
  const canHttp = acme.challenges.includes('http-01') && plain.length > 0;
  const canAlpn = acme.challenges.includes('tls-alpn-01') && secure.length > 0;
  if (!canHttp && !canAlpn) {
    const message = 'no listener can answer the authority';
    const allowed = 'http-01 with a listener without TLS, or tls-alpn-01 with TLS on the node engine';
    diagnosis.report([...path, 'challenges'], { message, found: acme.challenges.join(', '), allowed });
  } else if (!(canHttp && hasPort(plain, 80)) && !(canAlpn && hasPort(secure, 443))) {
    const ports = [...(canHttp ? ['80 for http-01'] : []), ...(canAlpn ? ['443 for tls-alpn-01'] : [])].join(' or ');
    diagnosis.warn(
      `the authority of ${acme.domains[0] ?? ''} comes to port ${ports}, where nothing listens: it has to be forwarded here`,
    );
  }
}

function hasPort(listen: readonly ListenAddress[], port: number): boolean {
  return listen.some((address) => address.port === port);
}

function compileDomains(domains: readonly string[], path: KeyPath, diagnosis: Diagnosis): string[] {
  const compiled: string[] = [];
  for (const [index, text] of domains.entries()) {
    const checked = parseHostPattern(text);
    const at = [...path, index];
    if ('mistake' in checked) diagnosis.report(at, { ...checked.mistake, allowed: 'a host name such as example.com' });
    else if (checked.value.startsWith('*.')) {
      const message = `no certificate for ${quote(text)}: wildcards need DNS-01, which Portico does not do`;
      const allowed = 'every host by its name; or a certificate from elsewhere under certificates';
      diagnosis.report(at, { message, found: quote(text), allowed });
    } else if (checked.value.startsWith('[') || isIP(checked.value) !== 0) {
      const message = `no certificate for ${quote(text)}: it is an address`;
      diagnosis.report(at, { message, found: quote(text), allowed: 'a host name such as example.com' });
    } else if (compiled.includes(checked.value)) {
      diagnosis.report(at, { message: `"${text}" is there twice`, found: quote(text), allowed: 'each name once' });
    } else compiled.push(checked.value);
  }
  return compiled;
}

/** The folder itself, or the one that it would be made in. */
function nearestFolder(path: string): string {
  let folder = path;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}
