import { isIP } from 'node:net';
import { CertificateError, readCertificate } from '../tls/certificate.ts';
import type { UpstreamTlsConfig } from '../tls/tls-config.ts';
import { readUpstreamContext } from '../tls/upstream-context.ts';
import { warnOfValidity } from './certificate-validity.ts';
import type { Diagnosis } from './diagnosis.ts';
import { quote } from './finding.ts';
import { canonicalHost, isHost } from './host-name.ts';
import type { KeyPath } from './schema-walk.ts';
import type { ServerPlace } from './server-url.ts';
import type { UpstreamTlsInput } from './upstream-tls-schema.ts';

/** A server as it was written, and where. */
export interface WrittenServer extends Pick<ServerPlace, 'scheme' | 'address'> {
  readonly url: string;
  readonly path: KeyPath;
}

/**
 * The TLS of an upstream: there when it is written, or when a server is `https://`. Its files are tried.
 *
 * @param path of the upstream
 */
export function compileUpstreamTls(
  tls: UpstreamTlsInput | undefined,
  servers: readonly WrittenServer[],
  path: KeyPath,
  diagnosis: Diagnosis,
): UpstreamTlsConfig | undefined {
  if (tls === undefined && !servers.some(({ scheme }) => scheme === 'https')) return undefined;
  const { serverName, verify, ca, certificate, key } = tls ?? { verify: true };
  checkServers(servers, verify && serverName === undefined, diagnosis);
  const tlsPath = [...path, 'tls'];
  if (!verify) {
    const name = String(path.at(-1));
    diagnosis.warn(`the certificates of the servers of upstream ${name} are not verified (tls.verify: false)`);
  }
  if (!verify && ca !== undefined) {
    const message = 'tls.ca says who is believed, and verify: false that nobody is asked';
    diagnosis.report([...tlsPath, 'ca'], { message, found: quote(ca), allowed: 'ca without verify: false' });
  }
  checkName(serverName, tlsPath, diagnosis);
  if ((certificate === undefined) !== (key === undefined)) {
    const [there, missing] =
      certificate === undefined ? (['key', 'certificate'] as const) : (['certificate', 'key'] as const);
    const message = `tls.${there} without tls.${missing}`;
    diagnosis.report([...tlsPath, there], { message, found: there, allowed: 'certificate and key, or neither' });
  }
  const compiled: UpstreamTlsConfig = {
    verify,
    ...(serverName === undefined ? {} : { serverName: canonicalHost(serverName) }),
    ...(ca === undefined ? {} : { ca: diagnosis.absolute(ca) }),
    ...(certificate === undefined || key === undefined
      ? {}
      : { client: { certificate: diagnosis.absolute(certificate), key: diagnosis.absolute(key) } }),
  };
  tryFiles(compiled, tlsPath, diagnosis);
  return compiled;
}

/** @param needsHost whether a server without a host would have no name to check */
function checkServers(servers: readonly WrittenServer[], needsHost: boolean, diagnosis: Diagnosis): void {
  for (const { url, scheme, address, path } of servers) {
    if (scheme === 'http') {
      const message = `${quote(url)} is a server without TLS, in an upstream whose servers speak TLS`;
      const suggestion = `https://${url.replace(/^http:\/\//i, '')}`;
      const allowed = 'https:// for all servers of an upstream, or neither https:// nor tls';
      diagnosis.report(path, { message, found: quote(url), allowed, suggestion });
    } else if (needsHost && 'socketPath' in address) {
      const message = `the certificate of ${quote(url)} cannot be checked: nothing says which name it is for`;
      diagnosis.report(path, { message, found: quote(url), allowed: 'a socket beside tls.serverName' });
    }
  }
}

function checkName(name: string | undefined, path: KeyPath, diagnosis: Diagnosis): void {
  if (name === undefined || isHost(name) || isIP(name) !== 0) return;
  const message = `wrong name ${quote(name)}`;
  diagnosis.report([...path, 'serverName'], { message, found: quote(name), allowed: 'a host name or an IP address' });
}

function tryFiles(config: UpstreamTlsConfig, path: KeyPath, diagnosis: Diagnosis): void {
  const { client } = config;
  try {
    if (client !== undefined) warnOfValidity(readCertificate(client), diagnosis);
    readUpstreamContext(config);
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    const { file, message } = error;
    const place =
      file === config.ca ? 'ca' : file === client?.key && file !== client.certificate ? 'key' : 'certificate';
    const allowed =
      place === 'ca' ? 'certificates in PEM' : 'a certificate in PEM, and the private key that belongs to it';
    diagnosis.report([...path, place], { message, found: quote(file), allowed });
  }
}
