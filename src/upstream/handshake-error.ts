/** What is wrong with a server's certificate. */
type CertificateFault =
  | 'expired'
  | 'not_yet_valid'
  | 'self_signed'
  | 'unknown_authority'
  | 'name_mismatch'
  | 'certificate';
/** Why there was no TLS with a server; as metrics name it. */
export type HandshakeFault =
  | CertificateFault
  | 'refused_by_server'
  | 'no_tls'
  | 'version'
  | 'cipher'
  | 'closed'
  | 'timeout'
  | 'protocol';

/** By OpenSSL's name of what verification found (verify(1)), and by Node's of its own. */
const certificateFaults: Readonly<Record<string, readonly [CertificateFault, inWords: string]>> = {
  CERT_HAS_EXPIRED: ['expired', 'it, or one of its issuers, has expired'],
  CERT_NOT_YET_VALID: ['not_yet_valid', 'it, or one of its issuers, is not valid yet'],
  DEPTH_ZERO_SELF_SIGNED_CERT: ['self_signed', 'it is self-signed, and not among the authorities'],
  SELF_SIGNED_CERT_IN_CHAIN: ['unknown_authority', 'its authority is not one that is trusted'],
  UNABLE_TO_GET_ISSUER_CERT: ['unknown_authority', 'its authority is not known'],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ['unknown_authority', 'its authority is not known, or an issuer was not sent'],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ['unknown_authority', 'its authority is not known, or an issuer was not sent'],
  ERR_TLS_CERT_ALTNAME_INVALID: ['name_mismatch', 'it is for another name'],
};

/** Failures of the handshake itself, by the code of Node's or OpenSSL's error; what is not here is `protocol`. */
const faults: Readonly<Record<string, HandshakeFault>> = {
  ECONNRESET: 'closed',
  EPIPE: 'closed',
  ERR_SSL_UNEXPECTED_EOF_WHILE_READING: 'closed',
  ERR_SSL_WRONG_VERSION_NUMBER: 'no_tls',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'no_tls',
  ERR_SSL_RECORD_LAYER_FAILURE: 'no_tls',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'version',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'version',
  ERR_SSL_WRONG_SSL_VERSION: 'version',
  ERR_SSL_NO_SHARED_CIPHER: 'cipher',
  ERR_SSL_NO_CIPHERS_AVAILABLE: 'cipher',
  ERR_SSL_DH_KEY_TOO_SMALL: 'cipher',
};

/** A server was connected to, but no TLS came of it. Nothing of a request was sent. */
export class HandshakeError extends Error {
  readonly fault: HandshakeFault;
  /** Whether the server is not who it should be, as far as its certificate shows. */
  readonly distrusted: boolean;

  /** @param cause what Node gave */
  constructor(cause: Error) {
    const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
    const certificate = certificateFault(code, 'syscall' in cause);
    const [fault, words] = certificate ?? [faultOf(code), undefined];
    const message =
      words === undefined
        ? `no TLS with the server: ${cause.message}`
        : `the certificate of the server is refused, ${words}: ${cause.message}`;
    super(message, { cause });
    this.name = 'HandshakeError';
    this.fault = fault;
    this.distrusted = certificate !== undefined;
  }
}

function certificateFault(code: string, bySystem: boolean): readonly [CertificateFault, string] | undefined {
  const known = certificateFaults[code];
  if (known !== undefined) return known;
  // All other names that begin neither as Node's nor as the system's are of verification: INVALID_PURPOSE, CA_MD_TOO_WEAK …
  if (bySystem || code === '' || code.startsWith('ERR_') || faults[code] !== undefined) return undefined;
  return ['certificate', `it is not good (${code})`];
}

function faultOf(code: string): HandshakeFault {
  // RFC 8446 section 6.2: the server has refused; it may want a certificate, or another one.
  return faults[code] ?? (/_ALERT_/.test(code) ? 'refused_by_server' : 'protocol');
}
