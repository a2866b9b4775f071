import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { SocketAddress } from './connection.ts';
import { HandshakeError } from './handshake-error.ts';
import type { ServerTls } from './server-tls.ts';

/** Who wants the connection. Told exactly one of both, later, unless the dial is given up. */
export interface SecureDialOwner {
  /** @param socket without listeners for what comes and for its end */
  secured(socket: TLSSocket): void;
  /** @param error a `HandshakeError` when there was a connection, but no TLS */
  failed(error: Error): void;
}

/** Opens a connection to one address and makes it a TLS one. Has no timeout of its own. */
export class SecureDial {
  private readonly tls: ServerTls;
  private readonly owner: SecureDialOwner;
  private readonly raw: Socket;
  private socket: TLSSocket | undefined;
  private startedAt = 0;
  private over = false;

  /** @param header sent before the handshake */
  constructor(address: SocketAddress, tls: ServerTls, header: Uint8Array | undefined, owner: SecureDialOwner) {
    this.tls = tls;
    this.owner = owner;
    const raw = connect('path' in address ? address : { ...address, noDelay: true });
    this.raw = raw;
    if (header !== undefined) raw.write(header);
    raw.once('connect', () => this.connected());
    raw.on('error', (error) => this.failed(error));
    raw.once('close', () => this.failed(new Error('closed while it opened')));
  }

  /** Gives up, or ends a connection that nobody has taken. */
  destroy(): void {
    this.over = true;
    this.socket?.destroy();
    this.raw.destroy();
  }

  /** The time for connecting is over. @returns what had not come by then */
  expire(): 'connection' | 'TLS' {
    const shaking = this.socket !== undefined && !this.over;
    if (shaking) this.tls.failed('timeout');
    this.destroy();
    return shaking ? 'TLS' : 'connection';
  }

  private connected(): void {
    if (this.over) return;
    const { tls, raw } = this;
    this.startedAt = performance.now();
    const socket = connectTls({ socket: raw, ...tls.options(this.startedAt) });
    this.socket = socket;
    socket.on('session', (session) => tls.keep(session));
    const failed = (error: Error): void => this.failed(error);
    const closed = (): void => this.failed(new Error('closed while it opened'));
    socket.once('error', failed);
    socket.once('close', closed);
    socket.once('secureConnect', () => {
      if (this.over) return;
      this.over = true;
      socket.off('error', failed);
      socket.off('close', closed);
      tls.succeeded(socket, this.startedAt, performance.now());
      this.owner.secured(socket);
    });
  }

  private failed(error: Error): void {
    if (this.over) return;
    const { socket } = this;
    this.destroy();
    if (socket === undefined) return this.owner.failed(error);
    const refused = new HandshakeError(error);
    this.tls.failed(refused.fault);
    this.owner.failed(refused);
  }
}
