import { constants, createHash } from 'node:crypto';
import type { TLSSocket, TlsOptions } from 'node:tls';
import { noRenegotiation } from './context-options.ts';
import { readPem } from './pem-file.ts';
import type { ClientCertificatesConfig, TlsConfig } from './tls-config.ts';

/** A client has shown no certificate that is good, where one is required. */
export class ClientCertificateError extends Error {
  readonly code: string;

  constructor(code: string) {
    super(`no good certificate of the client: ${code}`);
    this.name = 'ClientCertificateError';
    this.code = code;
  }
}

/**
 * What a server is made with that asks clients for certificates; nothing for one that does not. No session is resumed
 * there: a ticket of a listener that asks for none would count as a good certificate with Node and TLS 1.3, and one from
 * before a revocation would go on.
 *
 * @throws CertificateError when a file cannot be used
 */
export function clientVerification(config: TlsConfig): TlsOptions {
  const trust = clientTrust(config);
  if (trust === undefined) return {};
  const context = createHash('sha256').update(trust.ca).digest('hex').slice(0, 32);
  return {
    ...trust,
    requestCert: true,
    // Decided behind the handshake, so that it can be counted why.
    rejectUnauthorized: false,
    secureOptions: constants.SSL_OP_NO_TICKET | noRenegotiation,
    sessionIdContext: context,
  };
}

/** The authorities and revocation list for clients, in PEM. @throws CertificateError when a file cannot be used */
export function clientTrust({
  clientCertificates,
}: Pick<TlsConfig, 'clientCertificates'>): { ca: string; crl?: string } | undefined {
  if (clientCertificates === undefined) return undefined;
  const { ca, revocationList } = clientCertificates;
  const authorities = readPem(ca, 'CERTIFICATE');
  return revocationList === undefined
    ? { ca: authorities }
    : { ca: authorities, crl: readPem(revocationList, 'X509 CRL') };
}

/** Why a client is not let in, or undefined. */
export function clientRefusal(socket: TLSSocket, config: TlsConfig): ClientCertificateError | undefined {
  if (config.clientCertificates?.mode !== 'required') return undefined;
  if (socket.getPeerX509Certificate() === undefined) return new ClientCertificateError('CERT_MISSING');
  return socket.authorized ? undefined : new ClientCertificateError(codeOf(socket));
}

/**
 * The lines by which the application learns of a client's certificate, each with its CR LF; '' where none is asked for.
 * A certificate that is not good is told of by its fault alone: nothing else of it is known to be true.
 */
export function clientFields(socket: TLSSocket, config: TlsConfig): string {
  const { clientCertificates } = config;
  if (clientCertificates === undefined) return '';
  const { verified, subject, fingerprint } = clientCertificates.headers;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return `${verified}: NONE\r\n`;
  if (!socket.authorized) return `${verified}: FAILED:${codeOf(socket)}\r\n`;
  const name = certificate.subject.split('\n').toReversed().join(',');
  const digest = certificate.fingerprint256.replaceAll(':', '').toLowerCase();
  return `${verified}: SUCCESS\r\n${subject}: ${printable(name)}\r\n${fingerprint}: ${digest}\r\n`;
}

/** Names in lower case of the fields above, over all listeners: nobody else may send them. */
export function clientFieldNames(configs: readonly (TlsConfig | undefined)[]): string[] {
  const headers = configs.flatMap((config): ClientCertificatesConfig['headers'][] =>
    config?.clientCertificates === undefined ? [] : [config.clientCertificates.headers],
  );
  return headers.flatMap((names) => Object.values(names)).map((name) => name.toLowerCase());
}

/** OpenSSL's name of what is wrong. Node types it as an error, and gives a text. */
function codeOf({ authorizationError }: TLSSocket): string {
  return String(authorizationError ?? 'UNKNOWN').replaceAll(/[^A-Z_]/g, '');
}

function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]+/g, (rest) => encodeURIComponent(rest));
}
