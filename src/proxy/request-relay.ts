import type { BodySink, RequestBody } from '../listener/exchange.ts';
import type { PorticoError } from '../response/portico-error.ts';
import type { Connection } from '../upstream/connection.ts';
import type { RequestOwner, RequestSource } from './request-source.ts';

/**
 * Passes a request body on as it comes: with its length where that was declared, else chunked. A connection is taken only
 * once the body has begun, and the client is slowed down while the server does not take what it sends.
 */
export class RequestRelay implements BodySink, RequestSource {
  readonly length: number | undefined;
  readonly replayable = false;
  /** Whether the whole body was handed to the connection. */
  complete = false;
  private readonly owner: RequestOwner;
  private readonly body: RequestBody;
  private connection: Connection | undefined;
  /** What came before there was a connection; kept over tries, because nothing was sent yet. */
  private waiting: Buffer[] = [];
  private begun = false;
  private ended = false;
  /** Bytes of body handed to the connection. */
  private sentBytes = 0;
  private paused = false;
  private abandoned = false;

  constructor(owner: RequestOwner, body: RequestBody) {
    this.owner = owner;
    this.body = body;
    this.length = body.declaredLength;
  }

  start(): void {
    this.body.read(this);
  }

  /** Sends the head and what is there of the body; the rest follows as it comes. */
  send(connection: Connection, head: string): void {
    this.connection = connection;
    const { waiting } = this;
    this.waiting = [];
    const [first] = waiting;
    if (first === undefined) connection.send(head);
    else this.forward(connection, first, head);
    for (let index = 1; index < waiting.length; index++) this.forward(connection, waiting[index] as Buffer);
    if (this.ended) this.finish(connection);
    else if (!connection.isBacklogged) this.resume();
  }

  /** The connection took what it had: the client may go on. */
  drained(): void {
    if (this.connection?.isBacklogged === false) this.resume();
  }

  /** Nobody wants the rest. It is read and dropped, so that the client gets to reading its response. */
  abandon(): void {
    this.abandoned = true;
    this.waiting = [];
    this.connection = undefined;
    this.resume();
  }

  data(chunk: Buffer): void {
    if (this.abandoned) return this.body.release(chunk);
    const { connection } = this;
    if (connection === undefined) {
      // A chunk of length 0 would end a chunked body.
      if (chunk.length > 0) this.waiting.push(chunk);
      this.begin();
      if (this.connection === undefined) this.pause();
      return;
    }
    this.forward(connection, chunk);
    if (connection.isBacklogged) this.pause();
    this.owner.bodySent();
  }

  end(): void {
    if (this.abandoned) return;
    this.ended = true;
    if (this.connection === undefined) return this.begin();
    this.finish(this.connection);
    this.owner.bodySent();
  }

  failed(error: PorticoError): void {
    if (!this.abandoned) this.owner.bodyFailed(error);
  }

  private begin(): void {
    if (this.begun) return;
    this.begun = true;
    this.owner.bodyReady();
  }

  private forward(connection: Connection, chunk: Buffer, head = ''): void {
    if (chunk.length === 0) return;
    this.sentBytes += chunk.length;
    const { body } = this;
    const { declaredLength } = body;
    const left = (): void => body.release(chunk);
    if (declaredLength === undefined) {
      connection.sendFramed(head, chunk, left);
      return;
    }
    if (head === '') connection.sendBytes(chunk, left);
    else connection.send(head, chunk, left);
    // The server may answer before the end is told.
    if (this.sentBytes === declaredLength) this.complete = true;
  }

  private finish(connection: Connection): void {
    this.complete = true;
    if (this.body.declaredLength === undefined) connection.send('0\r\n\r\n');
  }

  private pause(): void {
    if (this.paused || this.ended || this.abandoned) return;
    this.paused = true;
    this.body.pause();
  }

  private resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.body.resume();
  }
}
