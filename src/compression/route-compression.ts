import type { GaugedBudget } from '../metrics/gauged-budget.ts';
import type { RequestContext } from '../request/request-context.ts';
import type { ResponseHead } from '../response/response-head.ts';
import type { Handler } from '../route/route.ts';
import type { CodedForms } from './coded-forms.ts';
import { type Coding, codings, streams } from './coding.ts';
import { CodingChooser } from './coding-chooser.ts';
import { CompressedExchange } from './compressed-exchange.ts';
import type { CompressionMetrics } from './compression-metrics.ts';
import { type CompressionRules, storedCodings, streamCodings } from './compression-rules.ts';
import type { FlushClock } from './flush-clock.ts';
import type { FormShelf } from './form-shelf.ts';
import type { KeptForms } from './kept-forms.ts';
import { MediaTypes } from './media-types.ts';

/** What compression shares in a worker; it lives on over reloads. */
export interface CompressionResources {
  readonly clock: FlushClock;
  /** Memory that all responses being compressed may take together. */
  readonly budget: GaugedBudget;
  readonly metrics: CompressionMetrics;
  readonly forms: CodedForms;
  readonly kept: KeptForms;
}

/** How the responses of one route are compressed: its rules, ready for use. */
export class RouteCompression {
  readonly rules: CompressionRules;
  readonly resources: CompressionResources;
  readonly types: MediaTypes;
  /** For responses that are compressed while they are sent. */
  readonly chooser: CodingChooser;
  /** For what is compressed once and kept. */
  readonly storedChooser: CodingChooser;
  /** Every coding that an entity tag of the route may name. */
  readonly known: readonly Coding[];

  constructor(rules: CompressionRules, resources: CompressionResources) {
    this.rules = rules;
    this.resources = resources;
    this.types = new MediaTypes(rules.types);
    this.chooser = new CodingChooser(streamCodings(rules).filter(streams));
    this.storedChooser = new CodingChooser(storedCodings(rules));
    this.known = rules.codings ?? codings;
  }

  /**
   * From here on the response to the request is compressed where that is right.
   * @param coding in place of the one that the client likes best
   */
  apply(context: RequestContext, coding?: Coding): void {
    context.exchange = new CompressedExchange(context, this, coding);
  }

  /**
   * Whether cookies keep the responses to a request from being compressed: where an attacker may put text of his own into
   * a page that holds a secret, its compressed size tells the secret (BREACH, CVE-2013-3587).
   */
  refusesCookiesOf({ exchange }: RequestContext): boolean {
    return this.rules.cookies === 'off' && exchange.head.fields.has('cookie');
  }
}

/**
 * Answers with the compressed form of a whole body that is kept in memory, where the route of the request compresses.
 * For who keeps bodies, before it answers with the body itself: then no body is compressed more than once.
 * @param head of the response as it would be sent with the body itself; the same object again saves making the one of the form
 * @param body never changes, and stays the same object for as long as it is kept
 * @param shelf where its forms are kept beside memory; undefined for nowhere
 * @returns whether the request was answered; otherwise the caller answers, to `context.exchange`
 */
export function answerCompressed(
  context: RequestContext,
  head: ResponseHead,
  body: Buffer,
  shelf?: FormShelf,
): boolean {
  const { exchange } = context;
  return exchange instanceof CompressedExchange && exchange.respondKept(head, body, shelf);
}

/** A handler whose responses are compressed. */
export class CompressingHandler implements Handler {
  private readonly compression: RouteCompression;
  private readonly next: Handler;
  private readonly glances: boolean;

  /** @param glances whether what it answers at a glance is compressed already where it should be */
  constructor(compression: RouteCompression, next: Handler, glances = false) {
    this.compression = compression;
    this.next = next;
    this.glances = glances;
  }

  glance(context: RequestContext): boolean {
    return this.glances && this.next.glance?.(context) === true;
  }

  handle(context: RequestContext): void {
    this.compression.apply(context);
    this.next.handle(context);
  }
}
