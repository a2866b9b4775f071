import type { PorticoError } from '../response/portico-error.ts';
import type { Connection } from '../upstream/connection.ts';

/** Where the body of a request comes from on its way upstream: passed on as it comes, or collected first. */
export interface RequestSource {
  /** Bytes of body as sent upstream; undefined when it is sent chunked. Known when `RequestOwner.bodyReady` is called. */
  readonly length: number | undefined;
  /** Whether the whole body was handed to the connection. */
  readonly complete: boolean;
  /** Whether `send` may be called again after something was sent: nothing of the body is lost by sending it. */
  readonly replayable: boolean;
  /** Starts reading from the client. */
  start(): void;
  /** Sends the head and what is there of the body; the rest follows as it comes. */
  send(connection: Connection, head: string): void;
  /** The connection took what it had. */
  drained(): void;
  /** Nobody wants the rest: it is read and dropped, and everything held is let go. */
  abandon(): void;
}

/** Whose request body it is. */
export interface RequestOwner {
  /** Time to take a server: the body has begun, or is there whole. */
  bodyReady(): void;
  /** Something was handed to the connection, or the body has ended. */
  bodySent(): void;
  bodyFailed(error: PorticoError): void;
}
