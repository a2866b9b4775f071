import type { Socket } from 'node:net';
import { TrustedProxies } from '../request/trusted-proxies.ts';
import { peerAddress } from './peer-address.ts';
import { type ProxiedPeer, readProxyHeader } from './proxy-header.ts';

/** Longest time for the header: a proxy sends it at once. */
const headerTimeoutMs = 5000;

/** Reads the PROXY protocol where connections of a listener begin, of those peers that are believed. */
export class ProxiedSockets {
  readonly #believed: TrustedProxies;
  readonly #isUnix: boolean;
  /** Who is behind a connection that is open, by the address and port that it comes from. */
  readonly #peers = new Map<string, ProxiedPeer>();
  /** Likewise on a Unix socket, where nobody has an address. */
  readonly #unixPeers = new WeakMap<Socket, ProxiedPeer>();

  /**
   * @param from addresses and CIDR ranges, or `unix`, of the peers that begin with a header
   * @param isUnix whether the listener is a Unix socket
   */
  constructor(from: readonly string[], isUnix = false) {
    this.#isUnix = isUnix;
    this.#believed = new TrustedProxies(from);
  }

  /** Calls `ready` when what follows on the socket is the client's; closes the socket when its beginning is no header. */
  receive(socket: Socket, ready: () => void): void {
    if (!this.#believed.has(peerAddress(socket, this.#isUnix))) return ready();
    const key = keyOf(socket);
    let held = Buffer.alloc(0);
    const ignore = (): undefined => undefined;
    const stop = (): void => {
      clearTimeout(timer);
      socket.off('readable', read);
      socket.off('end', refuse);
      socket.off('close', stop);
    };
    const refuse = (): void => {
      stop();
      socket.destroy();
    };
    const read = (): void => {
      const chunk: Buffer | null = socket.read();
      if (chunk === null) return;
      held = Buffer.concat([held, chunk]);
      const header = readProxyHeader(held);
      if (header === 'incomplete') return;
      if (header === 'malformed') return refuse();
      stop();
      if (header.peer !== undefined) this.#remember(key, header.peer, socket);
      if (held.length > header.length) socket.unshift(held.subarray(header.length));
      socket.off('error', ignore);
      ready();
    };
    const timer = setTimeout(refuse, headerTimeoutMs);
    socket.on('error', ignore);
    socket.on('readable', read);
    socket.on('end', refuse);
    socket.on('close', stop);
  }

  /** Who is behind a connection; undefined when that is the peer itself. Also for a TLS socket on the connection, if that is no Unix socket. */
  peerOf(socket: Socket): ProxiedPeer | undefined {
    return this.#isUnix ? this.#unixPeers.get(socket) : this.#peers.get(keyOf(socket));
  }

  #remember(key: string, peer: ProxiedPeer, socket: Socket): void {
    if (this.#isUnix) {
      this.#unixPeers.set(socket, peer);
      return;
    }
    this.#peers.set(key, peer);
    socket.once('close', () => this.#peers.delete(key));
  }
}

/** No two open connections to one listener have the same. */
function keyOf({ remoteAddress = '', remotePort = 0, localAddress = '' }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}
