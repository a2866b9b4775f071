import type { Socket } from 'node:net';
import { dirname } from 'node:path';
import type { TLSSocket } from 'node:tls';
import type { PendingChallenges } from '../acme/pending-challenges.ts';
import type { CertificateStore } from './certificate-store.ts';
import { TlsAcceptor } from './tls-acceptor.ts';
import type { TlsConfig } from './tls-config.ts';
import type { TlsFiles } from './tls-files.ts';

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
  readonly #challenges: PendingChallenges | undefined;
  readonly #source: TlsFiles | undefined;
  #acceptor: TlsAcceptor;
  #ticketKey: Buffer | undefined;
  #serve: (socket: TLSSocket, fields: string) => void = (socket) => void socket.destroy();

  /**
   * @param challenges of authorities, to be answered here as well
   * @param source where the files are read; the disk when left out
   * @throws CertificateError when a certificate cannot be used
   */
  constructor(config: TlsConfig, counts?: HandshakeCounts, challenges?: PendingChallenges, source?: TlsFiles) {
    this.#source = source;
    this.#counts = counts;
    this.#challenges = challenges;
    this.#acceptor = this.#acceptorFor(config);
  }

  get store(): CertificateStore {
    return this.#acceptor.store;
  }

  /** @param serve gets each connection whose handshake has succeeded, and lines for the application about its client */
  open(serve: (socket: TLSSocket, fields: string) => void): void {
    this.#serve = serve;
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
    return () => {
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
    return tlsFolders(this.#acceptor.config);
  }

  #acceptorFor(config: TlsConfig): TlsAcceptor {
    const events = {
      secure: (socket: TLSSocket, fields: string) => {
        this.#counts?.succeeded(socket);
        this.#serve(socket, fields);
      },
      failed: (error: Error) => this.#counts?.failed(error),
    };
    return new TlsAcceptor(config, events, this.#challenges, this.#source);
  }
}

/** Folders in which a change may mean other certificates. */
export function tlsFolders({ certificates, directory, clientCertificates: clients }: TlsConfig): readonly string[] {
  const folders = certificates.flatMap(({ certificate, key }) => [dirname(certificate), dirname(key)]);
  for (const file of [clients?.ca, clients?.revocationList]) if (file !== undefined) folders.push(dirname(file));
  return [...new Set(directory === undefined ? folders : [...folders, directory])];
}
