import type { TLSSocket } from 'node:tls';
import { metricNames } from '../metrics/names.ts';
import type { Counter, Recorder } from '../metrics/recorder.ts';
import { ClientCertificateError } from './client-verification.ts';
import type { HandshakeCounts } from './tls-terminator.ts';

/** Why a handshake failed, by the code of Node's or OpenSSL's error; what is not here is `protocol`. */
const reasons: Readonly<Record<string, string>> = {
  UNKNOWN_NAME: 'unknown_name',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'timeout',
  ECONNRESET: 'closed',
  EPIPE: 'closed',
  ERR_SSL_UNEXPECTED_EOF_WHILE_READING: 'closed',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'version',
  ERR_SSL_VERSION_TOO_LOW: 'version',
  ERR_SSL_WRONG_VERSION_NUMBER: 'no_tls',
  ERR_SSL_HTTP_REQUEST: 'no_tls',
  ERR_SSL_HTTPS_PROXY_REQUEST: 'no_tls',
  ERR_SSL_NO_SHARED_CIPHER: 'cipher',
  ERR_SSL_NO_SUITABLE_KEY_SHARE: 'cipher',
  ERR_SSL_NO_SHARED_GROUP: 'cipher',
  ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM: 'cipher',
  ERR_SSL_NO_APPLICATION_PROTOCOL: 'alpn',
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'client_certificate',
};

/** Counts handshakes of all listeners of a worker. */
export class HandshakeMetrics implements HandshakeCounts {
  readonly #recorder: Recorder;
  /** By the version; first of full handshakes, then of resumed ones. */
  readonly #succeeded = new Map<string | null, readonly [Counter, Counter]>();

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  succeeded(socket: TLSSocket): void {
    const protocol = socket.getProtocol();
    const [full, resumed] = this.#succeeded.get(protocol) ?? this.#countersFor(protocol);
    (socket.isSessionReused() ? resumed : full).add(1);
  }

  failed(error: Error): void {
    this.#recorder.counter(metricNames.tlsHandshakesFailed, { reason: reasonOf(error) }).add(1);
  }

  #countersFor(protocol: string | null): readonly [Counter, Counter] {
    const version = protocol?.replace('TLSv', '') ?? 'unknown';
    const counter = (resumed: string): Counter =>
      this.#recorder.counter(metricNames.tlsHandshakes, { version, resumed });
    const counters = [counter('no'), counter('yes')] as const;
    this.#succeeded.set(protocol, counters);
    return counters;
  }
}

function reasonOf(error: Error): string {
  if (error instanceof ClientCertificateError) return 'client_certificate';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  // RFC 8446 section 6.2: the client has refused; mostly it does not trust the certificate.
  if (/_ALERT_/.test(code)) return 'refused_by_client';
  // What verification of a client's certificate says: CERT_HAS_EXPIRED, UNABLE_TO_VERIFY_LEAF_SIGNATURE …
  if (/CERT|SIGNATURE|CRL|VERIFY/.test(code) && !code.startsWith('ERR_SSL')) return 'client_certificate';
  return reasons[code] ?? 'protocol';
}
