import type { BodySink, Exchange, RequestBody } from '../listener/exchange.ts';
import type { RequestHead } from '../request/request-head.ts';
import type { DirectedFields } from './directed-fields.ts';
import { ExchangeView } from './exchange-view.ts';
import { linesWithout, valueOfLine } from './field-lines.ts';
import { ResponseHead } from './response-head.ts';

/** The application has had the request's body already. */
class NoBody implements RequestBody {
  readonly declaredLength = 0;
  readonly received = 0;
  limit = 0;

  read(sink: BodySink): void {
    sink.end();
  }

  release(): void {}

  pause(): void {}

  resume(): void {}
}

/**
 * The exchange of a request that Portico makes because an application asked for it: another request, the same client.
 * What the application said about the response goes into whatever answers.
 */
export class DirectedExchange extends ExchangeView {
  private readonly fields: DirectedFields;

  constructor(inner: Exchange, head: RequestHead, fields: DirectedFields) {
    super(inner, head, new NoBody());
    this.fields = fields;
  }

  override respond(head: ResponseHead, body: Uint8Array): void {
    this.inner.respond(this.merged(head), body);
  }

  override respondHead(head: ResponseHead, length: number | undefined): void {
    this.inner.respondHead(this.merged(head), length);
  }

  override stream(head: ResponseHead, length: number | undefined, chunk?: Uint8Array): boolean {
    return super.stream(this.merged(head), length, chunk);
  }

  private merged(head: ResponseHead): ResponseHead {
    const { fields } = this;
    // What was said of the content does not hold for an error: it is neither that file nor to be kept.
    if (head.status >= 400) return head.with(fields.cookies);
    const { contentType } = fields;
    const names = [...fields.names];
    let lines = fields.lines;
    if (contentType !== undefined && head.status !== 304) {
      const own = valueOfLine(head.block, 'content-type');
      // The type of the parts; the boundary between them stands in the one of the whole.
      if (own?.startsWith('multipart/byteranges') !== true) {
        names.push('content-type');
        lines = Buffer.concat([Buffer.from(`\r\nContent-Type: ${contentType}`, 'latin1'), lines]);
      }
    }
    return new ResponseHead(head.status, Buffer.concat([linesWithout(head.block, names), lines, fields.cookies]));
  }
}
