import type { Socket } from 'node:net';
import type { ConnectionInfo } from './exchange.ts';
import { peerAddress } from './peer-address.ts';
import type { ProxiedPeer } from './proxy-header.ts';

/** What the connections of a listener have in common. */
export interface ListeningPlace {
  readonly scheme: 'http' | 'https';
  /** As configured. */
  readonly address: string;
  readonly isUnix: boolean;
  /** The port that is listened on; 0 for a Unix socket, and before it is open. */
  port: number;
}

/** A connection on a socket of Node.js. Each address that is asked for is a system call: that of the client is always needed. */
export class NodeConnectionInfo implements ConnectionInfo {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly clientFields: string;
  readonly #socket: Socket;
  readonly #place: ListeningPlace;
  #localAddress: string | undefined;

  /**
   * @param clientFields lines for the application about the client's certificate
   * @param peer who is behind the peer, where that is a proxy which says so
   */
  constructor(socket: Socket, place: ListeningPlace, clientFields: string, peer: ProxiedPeer | undefined) {
    this.#socket = socket;
    this.#place = place;
    this.clientFields = clientFields;
    this.remoteAddress = peer?.address ?? peerAddress(socket, place.isUnix);
    this.remotePort = peer?.port ?? socket.remotePort ?? 0;
  }

  get scheme(): 'http' | 'https' {
    return this.#place.scheme;
  }

  get listener(): string {
    return this.#place.address;
  }

  /** '' on a Unix socket, and where nobody asked before the connection was closed. */
  get localAddress(): string {
    return (this.#localAddress ??= this.#readLocalAddress());
  }

  get localPort(): number {
    // On a Unix socket whoever connects stands for a client that came to the port of its scheme.
    return this.#place.port || (this.#place.scheme === 'https' ? 443 : 80);
  }

  #readLocalAddress(): string {
    if (this.#place.isUnix) return '';
    return peerAddress({ remoteAddress: this.#socket.localAddress ?? '' }, false);
  }
}
