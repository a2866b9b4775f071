import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type ClientOptions, WebSocket } from 'ws';
import type { WebSocketRequest } from '../listener/websocket.ts';
import { PorticoError } from '../response/portico-error.ts';
import type { HandshakeRequest } from './handshake-fields.ts';

/** How long the server may take to answer a close frame, milliseconds. */
const closeTimeoutMs = 5000;

/** Who makes the handshake. Told exactly one of them, later, unless it abandons. */
export interface HandshakeOwner {
  /** @param protocol the subprotocol that the server chose, '' for none */
  accepted(socket: WebSocket, protocol: string, response: IncomingMessage): void;
  /** The server answered with something else; the body is still to be read. */
  refused(response: IncomingMessage): void;
  failed(error: PorticoError): void;
}

export interface HandshakeLimits {
  /** Longest wait for the answer, milliseconds. */
  readonly responseMs: number;
  /** Most bytes in the head of the answer. */
  readonly maxResponseHead: number;
  /** Most bytes in a message. */
  readonly maxMessage: number;
}

/** The opening handshake with a server, over a connection of its own. */
export class UpstreamHandshake {
  private readonly owner: HandshakeOwner;
  private readonly offered: readonly string[];
  private readonly limits: HandshakeLimits;
  private readonly timer: NodeJS.Timeout;
  private readonly socket: WebSocket;
  private readonly connection: Socket;
  private answer: IncomingMessage | undefined;
  private protocol = '';
  private over = false;

  constructor(
    owner: HandshakeOwner,
    connection: Socket,
    request: HandshakeRequest,
    { protocols }: WebSocketRequest,
    limits: HandshakeLimits,
  ) {
    this.owner = owner;
    this.offered = protocols;
    this.limits = limits;
    this.connection = connection;
    this.timer = setTimeout(() => this.expire(), limits.responseMs);
    this.socket = this.open(connection, request);
  }

  /** Nobody waits for it any more. */
  abandon(): void {
    if (this.over) return;
    this.stop();
    this.socket.terminate();
    this.connection.destroy();
  }

  private open(connection: Socket, { target, fields }: HandshakeRequest): WebSocket {
    const options: ClientOptions & { maxHeaderSize: number; closeTimeout: number } = {
      createConnection: () => connection,
      headers: fields,
      finishRequest: (request: ClientRequest) => {
        // A URL would lose what the client wrote in a way of its own.
        request.path = target;
        request.end();
      },
      perMessageDeflate: false,
      maxPayload: this.limits.maxMessage,
      maxHeaderSize: this.limits.maxResponseHead,
      closeTimeout: closeTimeoutMs,
    };
    const socket = new WebSocket('ws://upstream/', [], options);
    socket.on('upgrade', (response) => this.answered(response));
    socket.on('open', () => this.opened());
    socket.on('unexpected-response', (_request, response) => this.refused(response));
    socket.on('error', (error) => this.broke(error));
    return socket;
  }

  private answered(response: IncomingMessage): void {
    this.answer = response;
    this.protocol = response.headers['sec-websocket-protocol'] ?? '';
    // The library fails where the server chooses none of those offered, which is for the client to judge.
    delete response.headers['sec-websocket-protocol'];
  }

  private opened(): void {
    const { answer, socket, protocol } = this;
    if (answer === undefined) return;
    if (protocol !== '' && !this.offered.includes(protocol)) {
      return this.fail(new PorticoError('upstream_protocol', 'the server chose a subprotocol that was not offered'));
    }
    if (this.over) return;
    this.stop();
    socket.removeAllListeners();
    this.owner.accepted(socket, protocol, answer);
  }

  private refused(response: IncomingMessage): void {
    if (this.over) return void response.destroy();
    if ((response.statusCode ?? 0) < 200) {
      return this.fail(new PorticoError('upstream_protocol', 'the server answered 101 without an upgrade'));
    }
    this.stop();
    this.owner.refused(response);
  }

  private broke(error: NodeJS.ErrnoException): void {
    const reset = error.syscall !== undefined || error.code === 'ECONNRESET';
    const code = reset && this.answer === undefined ? 'upstream_reset' : 'upstream_protocol';
    this.fail(new PorticoError(code, error.message, { cause: error }));
  }

  private expire(): void {
    this.fail(new PorticoError('upstream_timeout', `no answer to the handshake within ${this.limits.responseMs} ms`));
  }

  private fail(error: PorticoError): void {
    if (this.over) return;
    this.abandon();
    this.owner.failed(error);
  }

  private stop(): void {
    this.over = true;
    clearTimeout(this.timer);
  }
}
