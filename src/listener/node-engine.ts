import { createServer, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ListenAddress } from '../config/config.ts';
import { PorticoError } from '../response/portico-error.ts';
import type { TlsTerminator } from '../tls/tls-terminator.ts';
import { cutSocket } from './cut-socket.ts';
import type { Engine, EngineFactory, EngineTimeouts } from './engine.ts';
import type { ConnectionInfo, ExchangeHandler } from './exchange.ts';
import type { HandedSockets } from './handed-sockets.ts';
import { Http1Connection } from './http1-connection.ts';
import { Http2Session } from './http2-session.ts';
import { listenerIdentity } from './listener-identity.ts';
import { NodeEngineCore } from './node-engine-core.ts';
import { peerAddress } from './peer-address.ts';
import { ProxiedSockets } from './proxied-sockets.ts';
import type { ProxiedPeer } from './proxy-header.ts';
import { canReusePort } from './reuse-port.ts';

/** Connections that wait to be accepted, as with NGINX; the kernel has a bound of its own (`net.core.somaxconn`). */
const backlog = 511;
const sentCheckMs = 50;

/** The engine on sockets of Node.js: HTTP/1.1 and HTTP/1.0. */
export const createNodeEngine: EngineFactory = (handler, timeouts) => new NodeEngine(handler, timeouts, undefined);

/** The same, where the primary hands over the Unix sockets. Without it the engine opens them by itself, for itself alone. */
export function nodeEngineWith(sockets: HandedSockets): EngineFactory {
  return (handler, timeouts) => new NodeEngine(handler, timeouts, sockets);
}

class NodeEngine implements Engine {
  readonly name = `Node.js ${process.versions.node}`;
  readonly #core: NodeEngineCore;
  readonly #servers = new Map<string, Server>();
  readonly #sockets: HandedSockets | undefined;
  #drained: Promise<void> | undefined;

  constructor(handler: ExchangeHandler, timeouts: EngineTimeouts, sockets: HandedSockets | undefined) {
    this.#sockets = sockets;
    this.#core = new NodeEngineCore(handler, timeouts);
  }

  get inFlight(): number {
    return this.#core.inFlight;
  }

  get switched(): number {
    return this.#core.switched.size;
  }

  get connections(): number {
    return this.#core.connections.size;
  }

  listen(address: ListenAddress, tls?: TlsTerminator): Promise<number> {
    return new Promise((resolve, reject) => {
      const server = this.#createServer(address, tls);
      server.once('error', (error: NodeJS.ErrnoException) => reject(new Error(explain(address, error))));
      try {
        server.once('listening', () => {
          server.removeAllListeners('error');
          server.on('error', (cause) =>
            this.#core.report(new PorticoError('internal', 'accepting a connection failed', { cause })),
          );
          this.#servers.set(listenerIdentity(address), server);
          resolve(portOf(server));
        });
        this.#open(server, address);
      } catch (error) {
        reject(new Error(explain(address, error as NodeJS.ErrnoException)));
      }
    });
  }

  unlisten(address: ListenAddress): void {
    const identity = listenerIdentity(address);
    const others = [...this.#servers.keys()].filter((one) => one.endsWith(` ${address.address}`));
    // A reload that changes what is said of an address opens it anew before the former one is closed.
    const closed = this.#servers.has(identity) ? identity : (others[0] ?? identity);
    this.#servers.get(closed)?.close();
    this.#servers.delete(closed);
  }

  configure(timeouts: EngineTimeouts): void {
    this.#core.configure(timeouts);
  }

  drain(): Promise<void> {
    this.#drained ??= new Promise((resolve) => {
      this.#core.draining = true;
      this.#closeServers();
      for (const connection of this.#core.connections) connection.drain?.();
      this.#core.onIdle = () => this.#resolveWhenSent(resolve);
      if (this.inFlight === 0) this.#resolveWhenSent(resolve);
    });
    return this.#drained;
  }

  closeSwitched(): void {
    this.#core.closeSwitched();
  }

  close(): void {
    this.#closeServers();
    for (const connection of this.#core.connections) connection.destroy();
    this.#core.watch.stop();
  }

  /** `listening` or `error` follows. */
  #open(server: Server, { address, host, port, socket }: ListenAddress): void {
    if (socket === undefined) {
      const bare = host?.replace(/^\[(.*)\]$/, '$1');
      server.listen({ port, backlog, host: bare, exclusive: false, ...reusePort });
    } else if (this.#sockets?.listen(server, address, backlog) !== true) {
      server.listen({ path: socket.path, backlog, exclusive: true });
    }
  }

  #createServer(address: ListenAddress, tls: TlsTerminator | undefined): Server {
    // Within a handshake nobody has a half to say something in; behind it TLS sockets are half-open, too.
    const server = createServer({ allowHalfOpen: tls === undefined, noDelay: true });
    const { proxyProtocol } = address;
    const isUnix = address.socket !== undefined;
    const proxied = proxyProtocol === undefined ? undefined : new ProxiedSockets(proxyProtocol, isUnix);
    const place = { listener: address.address, server, isUnix };
    const begin = (socket: Socket): void => {
      const peer = proxied?.peerOf(socket);
      if (!this.#admit(socket, peer, isUnix)) return;
      if (tls !== undefined) tls.accept(socket);
      else this.#accept(socket, { ...place, scheme: 'http', clientFields: '', peer });
    };
    tls?.open((socket: TLSSocket, clientFields) =>
      this.#accept(socket, { ...place, scheme: 'https', clientFields, peer: proxied?.peerOf(socket) }),
    );
    return server.on('connection', (socket: Socket) => {
      if (proxied === undefined) begin(socket);
      else proxied.receive(socket, () => begin(socket));
    });
  }

  #closeServers(): void {
    for (const server of this.#servers.values()) server.close();
    this.#servers.clear();
  }

  /** @returns false when the connection is not let in; it is closed then */
  #admit(socket: Socket, peer: ProxiedPeer | undefined, isUnix: boolean): boolean {
    const keeper = this.#core.handler.connections;
    if (keeper === undefined) return true;
    const address = peer?.address ?? peerAddress(socket, isUnix);
    if (keeper.admit(address, true)) {
      socket.once('close', () => keeper.ended(address));
      return true;
    }
    socket.on('error', () => undefined);
    cutSocket(socket);
    return false;
  }

  #accept(socket: Socket, facts: ConnectionFacts): void {
    const info = new NodeConnectionInfo(socket, facts);
    const isHttp2 = 'alpnProtocol' in socket && socket.alpnProtocol === 'h2';
    (isHttp2 ? new Http2Session(this.#core, socket, info) : new Http1Connection(this.#core, socket, info)).start();
  }

  #resolveWhenSent(resolve: () => void): void {
    if (this.inFlight > 0) return;
    for (const connection of this.#core.connections) {
      if (!connection.isWriting) continue;
      setTimeout(() => this.#resolveWhenSent(resolve), sentCheckMs);
      return;
    }
    resolve();
  }
}

const reusePort: { readonly reusePort?: boolean } = canReusePort ? { reusePort: true } : {};

/** What is known of a connection besides its socket. */
interface ConnectionFacts {
  readonly listener: string;
  readonly server: Server;
  readonly isUnix: boolean;
  readonly scheme: 'http' | 'https';
  readonly clientFields: string;
  /** Who is behind the peer, where that is a proxy which says so. */
  readonly peer: ProxiedPeer | undefined;
}

class NodeConnectionInfo implements ConnectionInfo {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly scheme: 'http' | 'https';
  readonly listener: string;
  readonly clientFields: string;

  constructor(socket: Socket, { listener, server, isUnix, scheme, clientFields, peer }: ConnectionFacts) {
    this.clientFields = clientFields;
    this.scheme = scheme;
    this.remoteAddress = peer?.address ?? peerAddress(socket, isUnix);
    this.remotePort = peer?.port ?? socket.remotePort ?? 0;
    this.localAddress = isUnix ? '' : peerAddress({ remoteAddress: socket.localAddress ?? '' }, false);
    // On a Unix socket whoever connects stands for a client that came to the port of its scheme.
    this.localPort = portOf(server) || (scheme === 'https' ? 443 : 80);
    this.listener = listener;
  }
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function explain({ address }: ListenAddress, { code, message }: NodeJS.ErrnoException): string {
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: 'the port is in use',
    EADDRNOTAVAIL: 'the address is not one of this machine',
    EACCES: 'the port needs privileges (below 1024)',
    ENOTFOUND: 'the host is unknown',
    ERR_SOCKET_BAD_PORT: 'not a port (0 to 65535)',
  };
  return `cannot listen on ${address}: ${reasons[code ?? ''] ?? message}`;
}
