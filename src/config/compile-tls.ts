import { isIP } from 'node:net';
import { certificateFiles } from '../acme/acme-config.ts';
import { revocationFacts } from '../ocsp/ocsp-subject.ts';
import { type Certificate, CertificateError, readCertificate } from '../tls/certificate.ts';
import { chainFault } from '../tls/certificate-chain.ts';
import { certificatesIn } from '../tls/certificate-folder.ts';
import { clientTrust } from '../tls/client-verification.ts';
import { coversHost } from '../tls/covers-host.ts';
import type { TlsConfig } from '../tls/tls-config.ts';
import { warnOfValidity } from './certificate-validity.ts';
import { compileAcme } from './compile-acme.ts';
import type { Diagnosis } from './diagnosis.ts';
import { fileMistake, folderMistake } from './file-check.ts';
import { quote } from './finding.ts';
import { parseHostPattern } from './host-pattern.ts';
import type { ParsedConfig } from './schema.ts';
import type { KeyPath } from './schema-walk.ts';
import { type ListenerTlsInput, noCertificateAllowed, preloadMs } from './tls-schema.ts';

/** Hosts that are named in one warning. */
const namedHosts = 5;

/** Makes the paths of a listener's TLS absolute, and tries its certificates. */
export function compileTls(
  tls: ListenerTlsInput,
  path: KeyPath,
  sites: ParsedConfig['sites'],
  diagnosis: Diagnosis,
): TlsConfig {
  const certificates = tls.certificates.map(({ certificate, key }) => ({
    certificate: diagnosis.absolute(certificate),
    key: diagnosis.absolute(key),
  }));
  const directory = tls.directory === undefined ? undefined : diagnosis.absolute(tls.directory);
  const mistake = directory === undefined ? undefined : folderMistake(directory);
  if (mistake !== undefined) diagnosis.report([...path, 'directory'], mistake);
  const found = directory === undefined || mistake !== undefined ? [] : certificatesIn(directory);
  const acme = tls.acme === undefined ? undefined : compileAcme(tls.acme, [...path, 'acme'], diagnosis);
  if (certificates.length + found.length === 0 && mistake === undefined && acme === undefined) {
    diagnosis.report(path, { message: 'TLS without a certificate', found: 'none', allowed: noCertificateAllowed });
  }
  const names = [
    ...certificates.map((files, index) => tryCertificate(files, [...path, 'certificates', index], tls.ocsp, diagnosis)),
    ...found.map((files) => tryCertificate(files, [...path, 'directory'], tls.ocsp, diagnosis)),
    acme?.domains ?? [],
  ];
  checkPreload(tls, path, diagnosis);
  const clientCertificates = compileClientCertificates(tls, path, diagnosis);
  // A certificate that cannot be read is told of already.
  if (!names.includes(undefined)) warnOfUncoveredHosts(new Set(names.flatMap((some) => some ?? [])), sites, diagnosis);
  const all = acme === undefined ? certificates : [...certificates, certificateFiles(acme)];
  return { ...tls, certificates: all, directory, acme, clientCertificates };
}

function compileClientCertificates(
  { clientCertificates }: ListenerTlsInput,
  path: KeyPath,
  diagnosis: Diagnosis,
): TlsConfig['clientCertificates'] {
  if (clientCertificates === undefined) return undefined;
  const { ca, revocationList } = clientCertificates;
  const files = { ca: diagnosis.absolute(ca), revocationList: revocationList && diagnosis.absolute(revocationList) };
  for (const [key, file] of Object.entries(files)) {
    const mistake = file === undefined ? undefined : fileMistake(file);
    if (mistake === undefined) continue;
    diagnosis.report([...path, 'clientCertificates', key], mistake);
    return undefined;
  }
  const compiled = { ...clientCertificates, ...files };
  try {
    clientTrust({ clientCertificates: compiled });
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    const key = error.file === compiled.ca ? 'ca' : 'revocationList';
    const allowed = key === 'ca' ? 'certificates in PEM' : 'a revocation list in PEM';
    diagnosis.report([...path, 'clientCertificates', key], {
      message: error.message,
      found: quote(error.file),
      allowed,
    });
  }
  return compiled;
}

function checkPreload({ hsts }: ListenerTlsInput, path: KeyPath, diagnosis: Diagnosis): void {
  if (hsts?.preload !== true || (hsts.includeSubDomains && hsts.maxAge >= preloadMs)) return;
  const message = 'hsts.preload without includeSubDomains, or with a maxAge below 365d';
  const allowed = 'preload beside includeSubDomains: true and a maxAge of at least 365d';
  diagnosis.report([...path, 'hsts', 'preload'], { message, found: 'true', allowed });
}

/** Some certificates promise a stapled response about their revocation (RFC 7633): clients refuse them without. */
function warnOfBrokenPromise({ files, leaf }: Certificate, ocsp: TlsConfig['ocsp'], diagnosis: Diagnosis): void {
  const { mustStaple, responder } = revocationFacts(leaf);
  if (!mustStaple) return;
  const why = ocsp === 'off' ? 'ocsp is off' : responder === undefined ? 'it names no OCSP responder' : undefined;
  if (why === undefined) return;
  diagnosis.warn(`${files.certificate}: it promises a stapled OCSP response, and ${why}: clients refuse it`);
}

/** @returns what it is for; undefined when it cannot be used */
function tryCertificate(
  files: TlsConfig['certificates'][number],
  path: KeyPath,
  ocsp: TlsConfig['ocsp'],
  diagnosis: Diagnosis,
): readonly string[] | undefined {
  try {
    const certificate = readCertificate(files);
    warnOfValidity(certificate, diagnosis);
    const fault = chainFault(certificate);
    if (fault !== undefined) diagnosis.warn(`${files.certificate}: ${fault}`);
    warnOfBrokenPromise(certificate, ocsp, diagnosis);
    return certificate.names;
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    const place = error.file === files.key && files.key !== files.certificate ? 'key' : 'certificate';
    const where = path.at(-2) === 'certificates' ? [...path, place] : path;
    const allowed = 'a certificate in PEM, and the private key that belongs to it';
    diagnosis.report(where, { message: error.message, found: quote(error.file), allowed });
    return undefined;
  }
}

function warnOfUncoveredHosts(names: ReadonlySet<string>, sites: ParsedConfig['sites'], diagnosis: Diagnosis): void {
  const uncovered = sites
    .flatMap(({ hosts }) => hosts ?? [])
    .flatMap((text) => {
      const checked = parseHostPattern(text);
      return 'mistake' in checked || checked.value.startsWith('[') || isIP(checked.value) !== 0 ? [] : checked.value;
    })
    .filter((host) => !coversHost(names, host));
  if (uncovered.length === 0) return;
  const more = uncovered.length > namedHosts ? ` and ${uncovered.length - namedHosts} more` : '';
  diagnosis.warn(`no certificate is for ${uncovered.slice(0, namedHosts).join(', ')}${more}: browsers refuse them`);
}
