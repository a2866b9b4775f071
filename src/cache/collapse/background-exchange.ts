import type { BodySink, ConnectionInfo, Exchange, RequestBody } from '../../listener/exchange.ts';
import type { RequestContext } from '../../request/request-context.ts';
import type { RequestHead } from '../../request/request-head.ts';
import type { ResponseHead } from '../../response/response-head.ts';

const noBody: RequestBody = {
  declaredLength: 0,
  received: 0,
  limit: 0,
  read(sink: BodySink): void {
    sink.end();
  },
  release(): void {},
  pause(): void {},
  resume(): void {},
};

/** The exchange of a request that the cache makes for itself: nobody waits for the response, and what is sent is dropped. */
export class BackgroundExchange implements Exchange {
  readonly head: RequestHead;
  readonly connection: ConnectionInfo;
  readonly body: RequestBody = noBody;
  readonly webSocketRequest: undefined;
  readonly upgradeRequest: undefined;
  context: RequestContext | undefined;
  aborted = false;
  responded = false;
  status = 0;
  bytesSent = 0;
  onAborted: (() => void) | undefined;
  onDrain: (() => void) | undefined;

  /** @param origin the request because of which it is made */
  constructor({ connection }: Exchange, head: RequestHead) {
    this.head = head;
    // The engine may not know any more when the client has gone.
    const { remoteAddress, remotePort, localAddress, localPort, scheme, listener } = connection;
    const local = localAddress === undefined ? { localPort } : { localAddress, localPort };
    this.connection = { remoteAddress, remotePort, ...local, scheme, listener };
  }

  respond(head: ResponseHead, body: Uint8Array): void {
    this.begin(head);
    this.bytesSent = body.length;
  }

  respondHead(head: ResponseHead): void {
    this.begin(head);
  }

  stream(head: ResponseHead, _length: number | undefined, chunk?: Uint8Array): boolean {
    this.begin(head);
    return chunk === undefined || this.write(chunk);
  }

  write(chunk: Uint8Array): boolean {
    this.bytesSent += chunk.length;
    return true;
  }

  copyHeld(): void {}

  end(): void {}

  acceptWebSocket(): undefined {
    return undefined;
  }

  acceptUpgrade(): undefined {
    return undefined;
  }

  abort(): void {
    if (this.aborted) return;
    this.aborted = true;
    this.onAborted?.();
  }

  private begin({ status }: ResponseHead): void {
    this.responded = true;
    this.status = status;
  }
}
