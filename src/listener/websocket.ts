/*
 * A WebSocket (RFC 6455) as every step behind the listener sees it: what the client asks for, whole messages, and the
 * end. Nothing here depends on an engine: frames, masking, pongs and the closing handshake are the engine's own matter.
 */

/** A client's opening handshake, checked whole by the engine. */
export interface WebSocketRequest {
  /** The subprotocols that the client offers, in its order of preference. */
  readonly protocols: readonly string[];
}

/** The client's end of an open WebSocket. After the end every method does nothing. */
export interface WebSocketPeer {
  /** Bytes that were given to `send` and that the client has not taken yet. */
  readonly bufferedBytes: number;
  /** Sends a message whole. Never fails; what the client does not take is held without a bound of the engine's. */
  send(message: Uint8Array, binary: boolean): void;
  /** Sends a ping, whose pong is told by `WebSocketSink.heard`. */
  ping(): void;
  /**
   * Sends a close frame and ends the connection; `closed` is told before this returns. A client that does not answer is
   * cut off a few seconds later.
   * @param code   one that may be sent, or undefined for none
   * @param reason at most 123 bytes of UTF-8
   */
  close(code: number | undefined, reason: Uint8Array): void;
  /** Cuts the connection without a close frame. */
  terminate(): void;
}

/** Who receives what a client sends. */
export interface WebSocketSink {
  /** A whole message, however many frames it came in. The bytes are a copy; text was checked to be UTF-8. */
  message(data: Buffer, binary: boolean): void;
  /** A ping, which was answered already, or a pong. */
  heard(): void;
  /** The client took some of what it was sent. */
  drained(): void;
  /** The engine stops: close soon, with 1001. */
  leave(): void;
  /**
   * The end, whoever wanted it. Called once, last.
   * @param code   what the client's close frame says, or what was given to `close`; 1005 for none, 1006 without a frame
   * @param reason a copy
   */
  closed(code: number, reason: Buffer): void;
}
