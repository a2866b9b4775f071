import type { Socket } from 'node:net';
import { dirname } from 'node:path';
import type { TLSSocket } from 'node:tls';
import type { Certificate } from './certificate.ts';
import { certificateFolders } from './certificate-folder.ts';
import type { CertificateStore } from './certificate-store.ts';
import { type AuthorityFacts, TlsAcceptor } from './tls-acceptor.ts';
import type { TlsConfig } from './tls-config.ts';

export type { TlsConfig } from './tls-config.ts';

/** What counts handshakes. */
export interface HandshakeCounts {
  succeeded(socket: TLSSocket): void;
  failed(error: Error): void;
}

/**
 * Ends TLS for one listener. Lives as long as the listening socket: certificates and options are replaced in it, and each
 * handshake takes those that are there when the connection comes.
 */
export class TlsTerminator {
  readonly #counts: HandshakeCounts | undefined;
  readonly #facts: AuthorityFacts;
  #acceptor: TlsAcceptor;
  #ticketKey: Buffer | undefined;
  #follower: ((store: CertificateStore) => () => void) | undefined;
  #serve: (socket: TLSSocket, fields: string) => void = (socket) => void socket.destroy();

  /**
   * @param facts what authorities ask for and say
   * @throws CertificateError when a certificate cannot be used
   */
  constructor(config: TlsConfig, counts?: HandshakeCounts, facts: AuthorityFacts = {}) {
    this.#counts = counts;
    this.#facts = facts;
    this.#acceptor = this.#acceptorFor(config);
  }

  get store(): CertificateStore {
    return this.#acceptor.store;
  }

  /** @param serve gets each connection whose handshake has succeeded, and lines for the application about its client */
  open(serve: (socket: TLSSocket, fields: string) => void): void {
    this.#serve = serve;
  }

  /**
   * For an engine that makes handshakes by itself.
   * @param follower called with certificates that are to be in force; gives what does that, or throws when it cannot
   */
  follow(follower: (store: CertificateStore) => () => void): void {
    this.#follower = follower;
  }

  /** Takes a connection on which nothing was read yet. */
  accept(socket: Socket): void {
    this.#acceptor.accept(socket);
  }

  /**
   * Reads certificates anew, perhaps others.
   * @returns what puts them in force
   * @throws CertificateError; those that were there stay in force
   */
  prepare(config: TlsConfig = this.#acceptor.config): () => void {
    const next = this.#acceptorFor(config);
    const isNew = String(next.store.certificates.map(identityOf)) !== String(this.store.certificates.map(identityOf));
    const followUp = isNew ? this.#follower?.(next.store) : undefined;
    return () => {
      followUp?.();
      if (this.#ticketKey !== undefined) next.setTicketKey(this.#ticketKey);
      this.#acceptor = next;
    };
  }

  /** Encrypts session tickets with another key from now on. @param key 48 bytes */
  setTicketKey(key: Buffer): void {
    this.#ticketKey = key;
    this.#acceptor.setTicketKey(key);
  }

  /** Folders in which a change may mean other certificates. */
  get folders(): readonly string[] {
    const { config } = this.#acceptor;
    const { ca, revocationList } = config.clientCertificates ?? {};
    const more = [ca, revocationList].flatMap((file) => (file === undefined ? [] : dirname(file)));
    return [...new Set([...certificateFolders(config), ...more])];
  }

  #acceptorFor(config: TlsConfig): TlsAcceptor {
    const events = {
      secure: (socket: TLSSocket, fields: string) => {
        this.#counts?.succeeded(socket);
        this.#serve(socket, fields);
      },
      failed: (error: Error) => this.#counts?.failed(error),
    };
    return new TlsAcceptor(config, events, this.#facts);
  }
}

/** The certificate with its chain, and where it lies. */
function identityOf({ chain, files }: Certificate): string {
  return `${files.certificate} ${files.key} ${chain}`;
}
