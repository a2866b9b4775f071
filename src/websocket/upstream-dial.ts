import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { PorticoError } from '../response/portico-error.ts';
import type { SocketAddress } from '../upstream/connection.ts';
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
  private socket: Socket | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(server: Server, owner: DialOwner) {
    this.server = server;
    this.owner = owner;
  }

  start(): void {
    const { connect: timeoutMs } = this.server.timeouts;
    this.timer = setTimeout(() => this.expire(timeoutMs), timeoutMs);
    this.server.dial(this, this.startedAt);
  }

  begin(address: SocketAddress): void {
    if (!this.isConnecting) return;
    this.address = address;
    const socket = connect('path' in address ? address : { ...address, noDelay: true });
    this.socket = socket;
    socket.once('connect', () => {
      socket.removeAllListeners();
      if (!this.isConnecting) return void socket.destroy();
      this.stop();
      this.server.opened(this);
      this.owner.connected(socket);
    });
    socket.once('error', (error) => {
      socket.destroy();
      if (this.isConnecting) this.server.attemptFailed(this, address, error);
    });
  }

  giveUp(error: Error): void {
    if (!this.isConnecting) return;
    this.stop();
    this.owner.unreachable(new PorticoError('upstream_unreachable', error.message, { cause: error }));
  }

  /** Nobody wants it any more. */
  cancel(): void {
    if (!this.isConnecting) return;
    this.stop();
    this.socket?.destroy();
  }

  private expire(timeoutMs: number): void {
    this.server.connectTimedOut(this, performance.now());
    this.cancel();
    this.owner.unreachable(new PorticoError('upstream_connect_timeout', `no connection within ${timeoutMs} ms`));
  }

  private stop(): void {
    this.isConnecting = false;
    clearTimeout(this.timer);
  }
}
