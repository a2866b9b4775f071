import { createServer, type Server } from 'node:tls';
import type { PendingChallenges } from './pending-challenges.ts';

/** The protocol that an authority asks for when it looks at a challenge (RFC 8737 section 4). */
const challengeProtocol = 'acme-tls/1';

/** What a client says before its handshake. */
interface Hello {
  readonly serverName: string | undefined;
  readonly protocols: readonly string[];
}

/**
 * Answers TLS-ALPN-01 challenges: each by a server of its own that has the proof and no other certificate, so that there is
 * nothing for the client to choose. The connection is closed behind the handshake, as the authority has seen what it came for
 * (RFC 8737 section 3).
 */
export class TlsAlpnResponder {
  readonly #challenges: PendingChallenges;
  readonly #handshakeTimeout: number;
  readonly #failed: (error: Error) => void;

  /**
   * @param handshakeTimeout milliseconds
   * @param failed hears of handshakes that fail
   */
  constructor(challenges: PendingChallenges, handshakeTimeout: number, failed: (error: Error) => void) {
    this.#challenges = challenges;
    this.#handshakeTimeout = handshakeTimeout;
    this.#failed = failed;
  }

  /** Whether any connection may be one of an authority's. Asked for each connection. */
  get isAwaited(): boolean {
    return this.#challenges.hasCertificates;
  }

  /** The server for a connection that begins so; undefined when it is none of an authority's, or nothing is pending for the name. */
  serverFor({ serverName, protocols }: Hello): Server | undefined {
    // RFC 8737 section 4: that protocol and no other.
    if (serverName === undefined || protocols.length !== 1 || protocols[0] !== challengeProtocol) return undefined;
    const pair = this.#challenges.certificateFor(serverName);
    if (pair === undefined) return undefined;
    const server = createServer({
      cert: pair.certificate,
      key: pair.key,
      minVersion: 'TLSv1.2',
      handshakeTimeout: this.#handshakeTimeout,
      ALPNProtocols: [challengeProtocol],
    });
    server.on('secureConnection', (socket) => {
      // What its client does wrong behind the handshake is nobody's business.
      socket.on('error', () => undefined);
      socket.end();
    });
    server.on('tlsClientError', this.#failed);
    return server;
  }
}
