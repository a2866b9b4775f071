import { isIP } from 'node:net';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import type { ServerConfig } from '../config/config.ts';
import type { UpstreamContext } from '../tls/upstream-context.ts';
import type { HandshakeFault } from './handshake-error.ts';

/**
 * How long sessions descend from one handshake that looked at the certificate, milliseconds. Each that is resumed brings the
 * next one, and none of them looks again.
 */
const verifiedForMs = 3_600_000;

/** Who counts handshakes. */
export interface HandshakeCounts {
  handshake(version: string, resumed: boolean, seconds: number): void;
  handshakeFailed(server: string, fault: HandshakeFault): void;
}

/** How connections to one server are secured: with what, for whom, and by which session of a former connection. */
export class ServerTls {
  readonly context: UpstreamContext;
  /** The name or address that the certificate must be for; '' where nothing says one, and nothing is verified. */
  readonly name: string;
  private readonly server: string;
  private readonly counts: HandshakeCounts | undefined;
  private session: Buffer | undefined;
  private verifiedAt = 0;

  constructor(context: UpstreamContext, server: ServerConfig, counts?: HandshakeCounts) {
    this.context = context;
    this.server = server.name;
    const { address, foundBy } = server;
    this.name = context.config.serverName ?? foundBy ?? ('host' in address ? address.host : '');
    this.counts = counts;
  }

  /** What a handshake is made with. @param now of `performance.now()` */
  options(now: number): ConnectionOptions {
    const { context, name } = this;
    if (now - this.verifiedAt >= verifiedForMs) this.session = undefined;
    return {
      secureContext: context.secureContext,
      // What the certificate is compared with where no name is asked for.
      host: name,
      // RFC 6066 section 3: addresses are not asked for.
      ...(isIP(name) === 0 ? { servername: name } : {}),
      rejectUnauthorized: context.config.verify,
      ALPNProtocols: ['http/1.1'],
      ...(this.session === undefined ? {} : { session: this.session }),
    };
  }

  /** A handshake has succeeded. */
  succeeded(socket: TLSSocket, startedAt: number, now: number): void {
    const resumed = socket.isSessionReused();
    if (!resumed) this.verifiedAt = now;
    this.counts?.handshake(socket.getProtocol()?.replace('TLSv', '') ?? 'unknown', resumed, (now - startedAt) / 1000);
  }

  failed(fault: HandshakeFault): void {
    // Whatever was wrong, the next one begins anew.
    this.session = undefined;
    this.counts?.handshakeFailed(this.server, fault);
  }

  /** Takes a session that the server lets be resumed. */
  keep(session: Buffer): void {
    this.session = session;
  }
}
