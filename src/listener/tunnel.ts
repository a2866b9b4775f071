/*
 * A connection that goes on with another protocol (RFC 9110 section 7.8), as the steps behind the listener see it: bytes
 * both ways, of which nobody here understands anything.
 */

/** What a client would go on with. */
export interface UpgradeRequest {
  /** Protocols, each with its version where it has one, in the client's order of preference and as it spells them. */
  readonly protocols: readonly string[];
}

/** The client's end of a tunnel. After the end every method does nothing. */
export interface TunnelPeer {
  /**
   * Sends bytes.
   * @returns whether all have left, and their memory is free; otherwise nobody touches it before `TunnelSink.taken`
   */
  write(bytes: Uint8Array): boolean;
  /** Ends the side of Portico behind what was sent; the client may go on. */
  end(): void;
  /** Stops the flow: what was read already still comes. */
  pause(): void;
  resume(): void;
  /** Cuts the connection, so that the client takes nothing for complete; `closed` is told before this returns. */
  terminate(): void;
}

/** Who receives what a client sends. */
export interface TunnelSink {
  /** The chunk is the receiver's. */
  data(chunk: Buffer): void;
  /** The client has ended its side, in order. */
  ended(): void;
  /** Everything that was written has left. */
  taken(): void;
  /** The engine stops: cut soon. */
  leave(): void;
  /** The end of the connection. Called once, last. @param broken whether it broke, or was cut, instead of ending both ways in order */
  closed(broken: boolean): void;
}
