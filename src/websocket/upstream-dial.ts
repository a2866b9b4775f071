import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { PorticoError } from '../response/portico-error.ts';
import { connectError } from '../upstream/connect-error.ts';
import type { SocketAddress } from '../upstream/connection.ts';
import { SecureDial } from '../upstream/secure-dial.ts';
import type { Dialing, Server } from '../upstream/server.ts';

/** Who wants the connection. Told exactly one of both, later, unless the dial is cancelled. */
export interface DialOwner {
  /** @param socket without listeners, connected */
  connected(socket: Socket): void;
  /** Nothing was sent. */
  unreachable(error: PorticoError): void;
}

/** Opens a connection to a server for a WebSocket, which keeps it to the end. The server says where, and learns how it went. */
export class UpstreamDial implements Dialing {
  readonly startedAt = performance.now();
  address: SocketAddress | undefined;
  isConnecting = true;
  private readonly server: Server;
  private readonly owner: DialOwner;
  private readonly header: Uint8Array | undefined;
  private socket: Socket | undefined;
  private dial: SecureDial | undefined;
  private timer: NodeJS.Timeout | undefined;

  /** @param header sent first, where the server wants one */
  constructor(server: Server, owner: DialOwner, header?: Uint8Array) {
    this.server = server;
    this.owner = owner;
    this.header = header;
  }

  start(): void {
    const { connect: timeoutMs } = this.server.timeouts;
    this.timer = setTimeout(() => this.timedOut(), timeoutMs);
    this.server.dial(this, this.startedAt);
  }

  begin(address: SocketAddress): void {
    if (!this.isConnecting) return;
    this.address = address;
    const { tls } = this.server;
    if (tls !== undefined) {
      this.dial = new SecureDial(address, tls, this.header, {
        secured: (socket) => this.opened(socket),
        failed: (error) => this.server.attemptFailed(this, address, error),
      });
      return;
    }
    const socket = connect('path' in address ? address : { ...address, noDelay: true });
    this.socket = socket;
    if (this.header !== undefined) socket.write(this.header);
    socket.once('connect', () => {
      socket.removeAllListeners();
      this.opened(socket);
    });
    socket.once('error', (error) => {
      socket.destroy();
      if (this.isConnecting) this.server.attemptFailed(this, address, error);
    });
  }

  private opened(socket: Socket): void {
    if (!this.isConnecting) return void socket.destroy();
    this.stop();
    this.server.opened(this);
    this.owner.connected(socket);
  }

  giveUp(error: Error): void {
    if (!this.isConnecting) return;
    this.stop();
    this.owner.unreachable(connectError(error));
  }

  /** Nobody wants it any more. */
  cancel(): void {
    if (!this.isConnecting) return;
    this.stop();
    this.socket?.destroy();
    this.dial?.destroy();
  }

  expire(): 'connection' | 'TLS' {
    const missing = this.dial?.expire() ?? 'connection';
    this.cancel();
    return missing;
  }

  private timedOut(): void {
    const reason = this.server.connectTimedOut(this, performance.now());
    this.owner.unreachable(new PorticoError('upstream_connect_timeout', reason));
  }

  private stop(): void {
    this.isConnecting = false;
    clearTimeout(this.timer);
  }
}
