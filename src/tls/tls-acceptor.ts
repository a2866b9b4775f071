import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls';
import type { PendingChallenges } from '../acme/pending-challenges.ts';
import { TlsAlpnResponder } from '../acme/tls-alpn-responder.ts';
import type { OcspStaples } from '../ocsp/ocsp-staples.ts';
import { readCertificate } from './certificate.ts';
import { certificatesIn } from './certificate-folder.ts';
import { CertificateStore, type ServedContext } from './certificate-store.ts';
import { clientFields, clientRefusal, clientTrust, clientVerification } from './client-verification.ts';
import { contextOptions } from './context-options.ts';
import { awaitHello } from './hello-wait.ts';
import type { TlsConfig } from './tls-config.ts';
import { diskFiles, type TlsFiles } from './tls-files.ts';

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
  /** Where certificates and keys are read; the disk when left out. */
  readonly source?: TlsFiles | undefined;
}

/**
 * Makes handshakes with one set of certificates and options. Listens nowhere: connections are given to it, so that a
 * reload puts another one in its place while those under way finish with this one.
 *
 * Where names differ in their certificates each context has a server of its own, and the name is read before the handshake
 * begins: Node.js changes only one kind of key of a handshake that knows its name late, and the other stays that of the default.
 * For the same reason challenges of authorities are known before.
 */
export class TlsAcceptor {
  readonly config: TlsConfig;
  readonly store: CertificateStore;
  readonly #events: HandshakeEvents;
  readonly #facts: AuthorityFacts;
  readonly #shared: TlsOptions;
  /** Where the listener has certificates by an authority. */
  readonly #responder: TlsAlpnResponder | undefined;
  /** Made when somebody asks for one of their names; of nothing where there is no certificate yet. */
  readonly #servers = new Map<ServedContext | undefined, Server>();
  #ticketKey: Buffer | undefined;

  /**
   * @param facts challenges are answered where the listener has certificates by an authority; responses about revocation go
   *   out with certificates
   * @throws CertificateError when a certificate cannot be used; Error of OpenSSL when the options cannot
   */
  constructor(config: TlsConfig, events: HandshakeEvents, facts: AuthorityFacts = {}) {
    const { source = diskFiles } = facts;
    this.config = config;
    this.#events = events;
    this.#facts = facts;
    this.store = load(config, source);
    this.#shared = {
      ...contextOptions(config),
      ...clientVerification(config, source),
      handshakeTimeout: config.handshakeTimeout,
    };
    const { challenges } = facts;
    if (config.acme !== undefined && challenges !== undefined) {
      const failed = (error: Error): void => events.failed(error);
      this.#responder = new TlsAlpnResponder(challenges, config.handshakeTimeout, failed);
    }
    this.#serverFor(this.store.default);
  }

  accept(socket: Socket): void {
    const { store } = this;
    const responder = this.#responder?.isAwaited === true ? this.#responder : undefined;
    if (!store.hasSeveral && responder === undefined)
      return void this.#serverFor(store.default).emit('connection', socket);
    awaitHello(socket, this.config.handshakeTimeout, {
      ready: (hello) => {
        const served = store.find(hello?.serverName ?? '') ?? store.default;
        const prover = hello === undefined ? undefined : responder?.serverFor(hello);
        (prover ?? this.#serverFor(served)).emit('connection', socket);
      },
      failed: (error) => this.#events.failed(error),
    });
  }

  setTicketKey(key: Buffer): void {
    if (this.config.clientCertificates !== undefined) return;
    this.#ticketKey = key;
    for (const server of this.#servers.values()) server.setTicketKeys(key);
  }

  #serverFor(served: ServedContext | undefined): Server {
    const known = this.#servers.get(served);
    if (known !== undefined) return known;
    const server = this.#makeServer(served);
    this.#servers.set(served, server);
    if (this.#ticketKey !== undefined) server.setTicketKeys(this.#ticketKey);
    return server;
  }

  #makeServer(served: ServedContext | undefined): Server {
    const { config } = this;
    const { staples } = this.#facts;
    const server = createServer({
      ...this.#shared,
      ...served?.pairs,
      // RFC 7301: best first. A client that offers neither is refused with an alert.
      ALPNProtocols: config.http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
      // Called for every handshake in which the client names a host.
      SNICallback: (name, done) => {
        if (config.unknownNames === 'refuse' && this.store.find(name) === undefined) done(new UnknownNameError());
        else done(null);
      },
    });
    server.on('secureConnection', (socket) => this.#secured(socket));
    server.on('tlsClientError', (error) => this.#events.failed(error));
    if (config.ocsp === 'auto' && staples !== undefined) {
      // Node.js takes nothing as well as a response, which its types do not say.
      server.on('OCSPRequest', (leaf, _issuer, done) => done(null, stapleFor(leaf, served, staples) as Buffer));
    }
    return server;
  }

  #secured(socket: TLSSocket): void {
    const { config } = this;
    const refusal = clientRefusal(socket, config);
    if (refusal !== undefined) {
      this.#events.failed(refusal);
      socket.destroy();
      return;
    }
    socket.allowHalfOpen = true;
    this.#events.secure(socket, clientFields(socket, config));
  }
}

/**
 * Where certificates of several kinds of key stand side by side, nobody knows yet which of them the client will get, and a
 * response about the other one would be refused.
 * @param leaf what Node.js holds for the certificate, in DER
 */
function stapleFor(leaf: Buffer, served: ServedContext | undefined, staples: OcspStaples): Buffer | undefined {
  const { certificates } = served ?? { certificates: [] };
  const [certificate] = certificates;
  if (certificate === undefined || certificates.length > 1 || !certificate.leaf.raw.equals(leaf)) return undefined;
  return staples.find(certificate.leaf.fingerprint256);
}

/** A client has asked for a name that no certificate is for. */
export class UnknownNameError extends Error {
  readonly code = 'UNKNOWN_NAME';

  constructor() {
    super('no certificate for that name');
    this.name = 'UnknownNameError';
  }
}

function load(config: TlsConfig, source: TlsFiles): CertificateStore {
  const found = config.directory === undefined ? [] : certificatesIn(config.directory, source);
  const files = [...config.certificates, ...found];
  return new CertificateStore(
    files.map((pair) => readCertificate(pair, source)),
    {
      ...contextOptions(config),
      ...clientTrust(config, source),
    },
  );
}
