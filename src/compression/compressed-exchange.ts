import { performance } from 'node:perf_hooks';
import type { Exchange } from '../listener/exchange.ts';
import type { RequestContext } from '../request/request-context.ts';
import { ExchangeView } from '../response/exchange-view.ts';
import type { ResponseHead } from '../response/response-head.ts';
import { tagAsKnown, uncodedRequest } from './coded-tags.ts';
import type { Coding } from './coding.ts';
import type { SkipReason } from './compression-metrics.ts';
import { EncodedBody } from './encoded-body.ts';
import { createEncoder, encoderBytes, encodeWhole } from './encoder.ts';
import type { Flushable } from './flush-clock.ts';
import type { FormShelf } from './form-shelf.ts';
import { KeptForm } from './kept-forms.ts';
import { isEventStream } from './media-types.ts';
import { ResponseFields } from './response-fields.ts';
import type { RouteCompression } from './route-compression.ts';

/**
 * A body up to this size is compressed at once, when it is there: a quarter of a millisecond, less than what handing it to
 * another thread and back costs. A larger one must not hold up everybody else for so long.
 */
const wholeBytes = 32_768;

/** What becomes of the response; undefined before there is one. */
type Mode =
  /** It goes out as it is. */
  | 'plain'
  /** Its first bytes are collected: all of it may come to so little that it can be compressed at once. */
  | 'gathering'
  | 'encoding'
  /** It was answered; whatever the writer still says is without meaning. */
  | 'answered';

/** Compresses the response where the route, the request and the response itself allow it. */
export class CompressedExchange extends ExchangeView implements Flushable {
  /** For who owns the body given to `respond`: its memory is free again, whatever `bytesSent` says. */
  bodyFree = false;
  private readonly route: RouteCompression;
  private readonly requestContext: RequestContext;
  private readonly acceptEncoding: string | undefined;
  private readonly accepted: readonly Coding[];
  /** What the client likes best; undefined for nothing. */
  private readonly wanted: Coding | undefined;
  private mode: Mode | undefined;
  private givenStatus = 0;
  /** The form of the body is being made: others shall not pay for it meanwhile. */
  private awaitsForm = false;
  private codedHead: ResponseHead | undefined;
  private coding: Coding = 'gzip';
  private flushMs = 0;
  private gathered: Buffer[] = [];
  private gatheredBytes = 0;
  private gatheringSince = 0;
  private encoded: EncodedBody | undefined;
  /** Memory taken of the budget. */
  private reserved = 0;
  private drainCall: (() => void) | undefined;
  private abortedCall: (() => void) | undefined;

  /** @param coding in place of the one that the client likes best */
  constructor(context: RequestContext, route: RouteCompression, coding?: Coding) {
    const { exchange } = context;
    const field = exchange.head.fields.list('accept-encoding');
    const { best, all } = route.chooser.choose(field);
    super(exchange, uncodedRequest(exchange.head, all, route.known));
    this.requestContext = context;
    this.route = route;
    this.acceptEncoding = field;
    this.accepted = all;
    this.wanted = coding ?? best;
    this.abortedCall = exchange.onAborted;
    exchange.onAborted = () => this.clientGone();
  }

  override get responded(): boolean {
    return this.mode !== undefined || this.inner.responded;
  }

  override get status(): number {
    return this.inner.status === 0 ? this.givenStatus : this.inner.status;
  }

  override get onAborted(): (() => void) | undefined {
    return this.abortedCall;
  }

  override set onAborted(call: (() => void) | undefined) {
    this.abortedCall = call;
  }

  override get onDrain(): (() => void) | undefined {
    return this.drainCall;
  }

  override set onDrain(call: (() => void) | undefined) {
    this.drainCall = call;
    if (this.mode === 'plain') this.inner.onDrain = call;
  }

  override wrapInner(wrap: (inner: Exchange) => Exchange): boolean {
    if (this.mode !== undefined) return false;
    this.inner = wrap(this.inner);
    return true;
  }

  override respond(head: ResponseHead, body: Uint8Array): void {
    const ready = this.judge(head, body.length);
    if (this.codedHead === undefined) return this.inner.respond(ready, body);
    if (this.answersHead(ready)) return;
    if (body.length <= wholeBytes) return this.respondCoded(ready, body);
    const encoded = this.beginEncoding();
    encoded.write(body, true);
    encoded.end();
  }

  override respondHead(head: ResponseHead, length: number | undefined): void {
    const ready = this.judge(head, length);
    // How long the compressed form is nobody knows before it is made.
    this.inner.respondHead(ready, this.codedHead === undefined ? length : undefined);
  }

  /**
   * Answers with the compressed form of a body that is kept; see `answerCompressed`.
   * @returns false when the body itself is to be sent by `respond` or `stream`, which may compress it all the same
   */
  respondKept(head: ResponseHead, body: Buffer, shelf: FormShelf | undefined): boolean {
    const { rules, types, storedChooser, resources } = this.route;
    const { fields, method } = this.head;
    if (this.responded || body.length < rules.minSize || (method === 'GET' && fields.has('range'))) return false;
    const { best, all } = storedChooser.choose(this.acceptEncoding);
    if (best === undefined || (rules.cookies === 'off' && fields.has('cookie'))) return false;
    if (!resources.kept.allows(head, types, rules.cookies === 'on')) return false;
    const form = resources.kept.find(body, all, shelf);
    this.awaitsForm = true;
    if (form === undefined) resources.metrics.skipped('busy');
    if (!(form instanceof KeptForm)) return false;
    this.mode = 'answered';
    this.givenStatus = head.status;
    this.note(form.coding);
    const codedHead = form.headFor(head);
    if (method === 'HEAD') this.inner.respondHead(codedHead, form.body.length);
    else {
      resources.metrics.compressed(form.coding, 'stored', body.length, form.body.length);
      this.inner.respond(codedHead, form.body);
    }
    return true;
  }

  override stream(head: ResponseHead, length: number | undefined, chunk?: Uint8Array): boolean {
    const ready = this.judge(head, length);
    if (this.codedHead === undefined) return super.stream(ready, length, chunk);
    if (this.answersHead(ready)) return true;
    if (length !== undefined && length <= wholeBytes && chunk?.length === length) {
      this.respondCoded(ready, chunk);
      return true;
    }
    this.route.resources.clock.add(this);
    if (this.flushMs === 0 && (this.reserved > 0 || this.reserve())) {
      const encoded = this.beginEncoding();
      if (chunk !== undefined) return encoded.write(chunk);
      // The client waits for the head of an event stream.
      encoded.flush();
      return true;
    }
    if (length !== undefined && length > wholeBytes) {
      const encoded = this.beginEncoding();
      return chunk === undefined || encoded.write(chunk);
    }
    this.mode = 'gathering';
    this.gatheringSince = performance.now();
    return chunk === undefined || this.gather(chunk);
  }

  override write(chunk: Uint8Array): boolean {
    switch (this.mode) {
      case 'gathering':
        return this.gather(chunk);
      case 'encoding':
        return this.encoded?.write(chunk) ?? true;
      case 'answered':
        return true;
      default:
        return this.inner.write(chunk);
    }
  }

  override copyHeld(): void {
    if (this.encoded !== undefined) this.encoded.copyHeld();
    else if (this.mode === 'plain') this.inner.copyHeld();
  }

  override end(): void {
    switch (this.mode) {
      case 'gathering':
        if (!this.aborted && this.codedHead !== undefined) this.respondCoded(this.codedHead, this.collected());
        return;
      case 'encoding':
        return this.encoded?.end();
      case 'answered':
        return;
      default:
        this.inner.end();
    }
  }

  override abort(): void {
    this.release();
    this.inner.abort();
  }

  flushIfDue(now: number): void {
    if (this.mode === 'encoding') return this.encoded?.flushIfDue(now);
    if (this.mode !== 'gathering' || now - this.gatheringSince < this.flushMs) return;
    // Without memory for a stream the little that there may be of it waits for its end.
    if (this.reserved === 0 && !this.reserve()) return;
    this.encodeGathered();
    this.encoded?.flush();
  }

  /** Decides about the response. @returns the head to send; `codedHead` is the same where it is compressed */
  private judge(head: ResponseHead, length: number | undefined): ResponseHead {
    this.mode = 'plain';
    this.inner.onDrain = this.drainCall;
    this.givenStatus = head.status;
    const { rules, types, resources } = this.route;
    const { status } = head;
    if (status < 200 || status === 204 || status === 205) return head;
    const fields = new ResponseFields(head);
    if (status === 304) return this.notModified(head, fields);
    const { contentType } = fields;
    if (fields.coded || contentType === undefined || !types.has(contentType)) return head;
    if (length !== undefined && length < rules.minSize) return head;
    if (fields.noTransform) {
      if (this.wanted !== undefined) resources.metrics.skipped('no_transform');
      return head;
    }
    if (this.wanted === undefined || status === 206 || fields.partial) return fields.varying();
    this.flushMs = isEventStream(contentType) ? 0 : rules.flush;
    this.coding = this.wanted;
    const reason = this.refusal(fields, length);
    if (reason !== undefined) {
      resources.metrics.skipped(reason);
      return fields.varying();
    }
    this.note(this.coding);
    this.codedHead = fields.codedHead(this.coding);
    return this.codedHead;
  }

  /** For the log: of this request, and of the client's own where it was made for that one. */
  private note(coding: Coding): void {
    let context: RequestContext | undefined = this.requestContext;
    for (; context !== undefined; context = context.origin?.context) context.coding = coding;
  }

  private refusal(fields: ResponseFields, length: number | undefined): SkipReason | undefined {
    const { head } = this;
    if (head.method === 'GET' && head.fields.has('range')) return 'range';
    if (this.route.rules.cookies === 'off' && (fields.setsCookie || head.fields.has('cookie'))) return 'cookies';
    if (this.awaitsForm && length !== undefined && length > wholeBytes) return 'busy';
    const needsEncoder = head.method !== 'HEAD' && (length === undefined || length > wholeBytes);
    return needsEncoder && !this.reserve() ? 'busy' : undefined;
  }

  private notModified(head: ResponseHead, fields: ResponseFields): ResponseHead {
    const { etag, contentType } = fields;
    // As the client sees it: its own fields, not those shown to who answers.
    const known = etag === undefined ? undefined : tagAsKnown(this.clientTags(), etag, this.accepted);
    if (known !== undefined) return fields.withTag(known);
    const depends = contentType === undefined || this.route.types.has(contentType);
    return depends && !fields.coded ? fields.varying() : head;
  }

  private clientTags(): string | undefined {
    return this.inner.head.fields.list('if-none-match');
  }

  /** For HEAD: answers with what GET would be answered with. @returns whether it was one */
  private answersHead(ready: ResponseHead): boolean {
    if (this.head.method !== 'HEAD') return false;
    this.mode = 'answered';
    this.inner.respondHead(ready, undefined);
    return true;
  }

  private respondCoded(ready: ResponseHead, body: Uint8Array): void {
    this.mode = 'answered';
    this.bodyFree = true;
    const { rules, resources } = this.route;
    const coded = encodeWhole(body, this.coding, rules.levels);
    resources.metrics.compressed(this.coding, 'stream', body.length, coded.length);
    this.release();
    this.inner.respond(ready, coded);
  }

  private gather(chunk: Uint8Array): boolean {
    if (this.aborted) return true;
    this.gathered.push(Buffer.from(chunk));
    this.gatheredBytes += chunk.length;
    return this.gatheredBytes <= wholeBytes || this.encodeGathered();
  }

  private collected(): Buffer {
    const [only] = this.gathered;
    const all = this.gathered.length === 1 && only !== undefined ? only : Buffer.concat(this.gathered);
    this.gathered = [];
    return all;
  }

  /** @returns as `write` */
  private encodeGathered(): boolean {
    const all = this.collected();
    const encoded = this.beginEncoding();
    return all.length === 0 || encoded.write(all, true);
  }

  private beginEncoding(): EncodedBody {
    const { rules, resources } = this.route;
    const { coding } = this;
    this.mode = 'encoding';
    const head = this.codedHead as ResponseHead;
    this.encoded = new EncodedBody({
      exchange: this.inner,
      head,
      encoder: createEncoder(coding, rules.levels),
      coding,
      flushMs: this.flushMs,
      onDrain: () => this.drainCall?.(),
      onClosed: (bytesIn, bytesOut) => {
        resources.metrics.compressed(coding, 'stream', bytesIn, bytesOut);
        this.encoded = undefined;
        this.mode = 'answered';
        this.release();
      },
    });
    return this.encoded;
  }

  /** Takes memory for an encoder. @returns whether there was some */
  private reserve(): boolean {
    const { rules, resources } = this.route;
    const bytes = encoderBytes(this.coding, rules.levels);
    if (!resources.budget.take(bytes)) return false;
    this.reserved = bytes;
    return true;
  }

  /** Gives back what compressing took. */
  private release(): void {
    const { clock, budget } = this.route.resources;
    clock.delete(this);
    this.encoded?.close();
    this.gathered = [];
    if (this.reserved > 0) budget.give(this.reserved);
    this.reserved = 0;
  }

  private clientGone(): void {
    this.release();
    this.abortedCall?.();
  }
}
