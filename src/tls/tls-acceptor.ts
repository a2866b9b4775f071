import type { Socket } from 'node:net';
import { createServer, type SecureContext, type Server, type TLSSocket, type TlsOptions } from 'node:tls';
import type { PendingChallenges } from '../acme/pending-challenges.ts';
import { answerChallenges, challengeProtocol } from '../acme/tls-alpn-responder.ts';
import type { OcspStaples } from '../ocsp/ocsp-staples.ts';
import { readCertificate } from './certificate.ts';
import { certificatesIn } from './certificate-folder.ts';
import { CertificateStore, type ServedContext } from './certificate-store.ts';
import { clientFields, clientRefusal, clientTrust, clientVerification } from './client-verification.ts';
import { contextOptions } from './context-options.ts';
import type { TlsConfig } from './tls-config.ts';

/** Who hears how handshakes ended; each of both once for a connection that came so far. */
export interface HandshakeEvents {
  /** @param fields lines for the application about the client's certificate */
  secure(socket: TLSSocket, fields: string): void;
  failed(error: Error): void;
}

/** What authorities ask for and say now. */
export interface AuthorityFacts {
  readonly challenges?: PendingChallenges | undefined;
  readonly staples?: OcspStaples | undefined;
}

/**
 * Makes handshakes with one set of certificates and options. Listens nowhere: connections are given to it, so that a
 * reload puts another one in its place while those under way finish with this one.
 */
export class TlsAcceptor {
  readonly config: TlsConfig;
  readonly store: CertificateStore;
  readonly #server: Server;
  readonly #staples: OcspStaples | undefined;
  /** For the handshake in which the client has just named a host. */
  #chosen: ServedContext | undefined;

  /**
   * @param facts challenges are answered where the listener has certificates by an authority; responses about revocation go
   *   out with certificates
   * @throws CertificateError when a certificate cannot be used; Error of OpenSSL when the options cannot
   */
  constructor(config: TlsConfig, events: HandshakeEvents, { challenges, staples }: AuthorityFacts = {}) {
    this.config = config;
    this.#staples = config.ocsp === 'auto' ? staples : undefined;
    this.store = load(config);
    // RFC 7301: best first. A client that offers neither is refused with an alert.
    const protocols = config.http2 ? ['h2', 'http/1.1'] : ['http/1.1'];
    const options = {
      ...contextOptions(config),
      ...this.store.fallback,
      ...clientVerification(config),
      handshakeTimeout: config.handshakeTimeout,
      // Called for every handshake in which the client names a host; the others get the fallback.
      SNICallback: (name, done) => this.#choose(name, done),
    } satisfies TlsOptions;
    const answering = config.acme !== undefined && challenges !== undefined;
    this.#server = createServer(
      answering ? answerChallenges(options, protocols, challenges) : { ...options, ALPNProtocols: protocols },
    );
    this.#server.on('secureConnection', (socket) => {
      // The authority has seen what it came for (RFC 8737 section 3).
      if (socket.alpnProtocol === challengeProtocol) socket.end();
      else {
        const refusal = clientRefusal(socket, config);
        if (refusal !== undefined) {
          events.failed(refusal);
          socket.destroy();
          return;
        }
        socket.allowHalfOpen = true;
        events.secure(socket, clientFields(socket, config));
      }
    });
    this.#server.on('tlsClientError', (error) => events.failed(error));
    if (this.#staples !== undefined) {
      // Node.js takes nothing as well as a response, which its types do not say.
      this.#server.on('OCSPRequest', (leaf, _issuer, done) => done(null, this.#stapleFor(leaf) as Buffer));
    }
  }

  accept(socket: Socket): void {
    this.#server.emit('connection', socket);
  }

  setTicketKey(key: Buffer): void {
    if (this.config.clientCertificates !== undefined) return;
    this.#server.setTicketKeys(key);
  }

  #choose(name: string, done: (error: Error | null, context?: SecureContext) => void): void {
    const served = this.store.find(name);
    if (served === undefined && this.config.unknownNames === 'refuse') return done(new UnknownNameError());
    this.#chosen = served ?? this.store.default;
    // What is to be stapled is asked for within this call.
    done(null, this.#chosen?.context);
    this.#chosen = undefined;
  }

  /**
   * Where certificates of several kinds of key stand side by side, nobody knows yet which of them the client will get, and a
   * response about the other one would be refused.
   * @param leaf what Node.js holds for the certificate, in DER
   */
  #stapleFor(leaf: Buffer): Buffer | undefined {
    const { certificates } = this.#chosen ?? this.store.default ?? { certificates: [] };
    const [certificate] = certificates;
    if (certificate === undefined || certificates.length > 1 || !certificate.leaf.raw.equals(leaf)) return undefined;
    return this.#staples?.find(certificate.leaf.fingerprint256);
  }
}

/** A client has asked for a name that no certificate is for. */
export class UnknownNameError extends Error {
  readonly code = 'UNKNOWN_NAME';

  constructor() {
    super('no certificate for that name');
    this.name = 'UnknownNameError';
  }
}

function load(config: TlsConfig): CertificateStore {
  const files = [...config.certificates, ...(config.directory === undefined ? [] : certificatesIn(config.directory))];
  return new CertificateStore(files.map(readCertificate), {
    ...contextOptions(config),
    ...clientTrust(config),
  });
}
