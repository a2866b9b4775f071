import type { RequestHead } from '../request/request-head.ts';
import type { ResponseHead } from '../response/response-head.ts';
import { codedTag } from './coded-tags.ts';
import type { Coding } from './coding.ts';
import type { AcceptedCodings } from './coding-chooser.ts';
import { countResponse, type ResponseCounters } from './compression-metrics.ts';
import type { KeptForm } from './kept-forms.ts';
import { ResponseFields } from './response-fields.ts';
import type { RouteCompression } from './route-compression.ts';

/** What goes out in the place of a response that is kept. */
export interface KeptAnswer {
  readonly head: ResponseHead;
  readonly body: Buffer;
  /** Undefined for the body as it is. */
  readonly coding: Coding | undefined;
}

/** How a response is answered: as it is, as it is with Vary, compressed where there is a form, or by a whole exchange. */
type Treatment = 'plain' | 'varying' | 'codable' | 'exchange';

/**
 * A response that is kept in memory as a route with compression answers with it, worked out once, so that a request is
 * answered by a few comparisons. Says what `CompressedExchange` would do; where that takes more than what is there
 * already, it says nothing.
 */
export class KeptResponse {
  private readonly route: RouteCompression;
  private readonly body: Buffer;
  private readonly treatment: Treatment;
  private varyingFrom: ResponseHead | undefined;
  private varyingHead: ResponseHead | undefined;
  /** One at a time: what was made for the head that is in use. */
  private readonly coded = new Map<KeptForm, CodedAnswer>();
  /** What was answered last, and to whom: most clients that come for a response accept the same. */
  private latest: CodedAnswer | undefined;
  private latestAccepted: AcceptedCodings | undefined;

  /** @param head any of the heads that it is sent with: they differ in what has nothing to do with compression */
  constructor(route: RouteCompression, head: ResponseHead, body: Buffer) {
    this.route = route;
    this.body = body;
    this.treatment = treatmentOf(route, head, body);
  }

  /**
   * @param head of this moment; the same object again saves making it anew
   * @returns undefined when it needs an exchange around it
   */
  answer(request: RequestHead, head: ResponseHead): KeptAnswer | undefined {
    const { route, treatment } = this;
    if (treatment === 'plain') return { head, body: this.body, coding: undefined };
    if (treatment === 'exchange') return undefined;
    const accepted = route.storedChooser.choose(request.peek('accept-encoding'));
    if (accepted.best === undefined || treatment === 'varying') {
      return { head: this.varying(head), body: this.body, coding: undefined };
    }
    if (route.rules.cookies === 'off' && request.peek('cookie') !== undefined) return undefined;
    const answer = this.formFor(accepted, head);
    if (answer !== undefined && request.method === 'GET') {
      countResponse(answer.counters, this.body.length, answer.body.length);
    }
    return answer;
  }

  /**
   * The 304 for a client that has exactly what would be sent, in one of its forms.
   * @param known its If-None-Match
   * @param etag  of the response as it is
   * @param head  304 for the response as it is
   */
  notModified(request: RequestHead, known: string, etag: string, head: ResponseHead): ResponseHead | undefined {
    if (known === etag) return new ResponseFields(head).varying();
    const { all } = this.route.chooser.choose(request.peek('accept-encoding'));
    const isForm = all.some((coding) => known === codedTag(etag, coding));
    return isForm ? new ResponseFields(head).withTag(known) : undefined;
  }

  private formFor(accepted: AcceptedCodings, head: ResponseHead): CodedAnswer | undefined {
    const { kept, metrics } = this.route.resources;
    const { latest } = this;
    // Of the codings before it in the order of the client none has made the body smaller, and that stays so.
    if (latest?.from === head && accepted === this.latestAccepted && kept.use(latest.form)) return latest;
    const form = kept.ready(this.body, accepted.all);
    if (form === undefined) return undefined;
    let answer = this.coded.get(form);
    if (answer?.from !== head) {
      this.coded.clear();
      answer = new CodedAnswer(head, form, metrics.countersOf(form.coding, 'stored'));
      this.coded.set(form, answer);
    }
    this.latest = answer;
    this.latestAccepted = accepted;
    return answer;
  }

  private varying(head: ResponseHead): ResponseHead {
    if (this.varyingHead === undefined || this.varyingFrom !== head) {
      this.varyingFrom = head;
      this.varyingHead = new ResponseFields(head).varying();
    }
    return this.varyingHead;
  }
}

class CodedAnswer implements KeptAnswer {
  readonly from: ResponseHead;
  readonly head: ResponseHead;
  readonly body: Buffer;
  readonly coding: Coding;
  readonly counters: ResponseCounters;
  readonly form: KeptForm;

  constructor(from: ResponseHead, form: KeptForm, counters: ResponseCounters) {
    this.counters = counters;
    this.from = from;
    this.form = form;
    this.head = form.headFor(from);
    this.body = form.body;
    this.coding = form.coding;
  }
}

function treatmentOf({ rules, types }: RouteCompression, head: ResponseHead, body: Buffer): Treatment {
  const { status } = head;
  if (status < 200 || status === 204 || status === 205 || status === 304) return 'exchange';
  const { coded, contentType, noTransform, partial, setsCookie } = new ResponseFields(head);
  if (coded || contentType === undefined || !types.has(contentType) || body.length < rules.minSize) return 'plain';
  // Counted each time.
  if (noTransform || (setsCookie && rules.cookies === 'off')) return 'exchange';
  return status === 206 || partial ? 'varying' : 'codable';
}
