import type { IncomingMessage } from 'node:http';
import type { RequestContext } from '../request/request-context.ts';
import { respondError } from '../response/error-response.ts';
import { PorticoError } from '../response/portico-error.ts';
import type { ResponseHead } from '../response/response-head.ts';

const nothing = Buffer.alloc(0);

/** Passes on, as it comes, what a server answered in the place of a WebSocket. */
export class RefusalRelay {
  private readonly context: RequestContext;
  private readonly response: IncomingMessage;
  private readonly readTimeoutMs: number;
  private readonly finished: () => void;
  private timer: NodeJS.Timeout | undefined;
  private over = false;

  /** @param finished called once, when the server is not needed any more */
  constructor(context: RequestContext, response: IncomingMessage, readTimeoutMs: number, finished: () => void) {
    this.context = context;
    this.response = response;
    this.readTimeoutMs = readTimeoutMs;
    this.finished = finished;
  }

  start(head: ResponseHead): void {
    const { response, context } = this;
    const { exchange } = context;
    exchange.onAborted = () => this.stop();
    response.on('error', (error) => this.fail('upstream_incomplete', error.message));
    const length = response.headers['content-length'];
    if (head.status === 204 || head.status === 304 || length === '0') {
      this.stop();
      exchange.respond(head, nothing);
      return;
    }
    response.on('end', () => this.end());
    response.on('data', (chunk: Buffer) => this.pass(chunk));
    this.watch();
    if (!exchange.stream(head, length === undefined ? undefined : Number(length))) this.hold();
  }

  private pass(chunk: Buffer): void {
    if (this.over) return;
    this.watch();
    if (!this.context.exchange.write(chunk)) this.hold();
  }

  private hold(): void {
    clearTimeout(this.timer);
    this.response.pause();
    this.context.exchange.onDrain = () => {
      this.watch();
      this.response.resume();
    };
  }

  private end(): void {
    if (this.over) return;
    if (!this.response.complete) return this.fail('upstream_incomplete', 'the server closed the connection');
    this.stop();
    this.context.exchange.end();
  }

  private watch(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.fail('upstream_timeout', 'the server sent nothing in time'), this.readTimeoutMs);
  }

  private fail(code: 'upstream_incomplete' | 'upstream_timeout', detail: string): void {
    if (this.over) return;
    this.stop();
    respondError(this.context, new PorticoError(code, detail));
  }

  private stop(): void {
    if (this.over) return;
    this.over = true;
    clearTimeout(this.timer);
    this.context.exchange.onDrain = undefined;
    if (!this.response.complete) this.response.destroy();
    this.finished();
  }
}
