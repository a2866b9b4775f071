import type { Gauge } from '../metrics/recorder.ts';
import type { ResponseHead } from '../response/response-head.ts';
import type { CodedForms } from './coded-forms.ts';
import type { Coding } from './coding.ts';
import type { FormShelf } from './form-shelf.ts';
import type { MediaTypes } from './media-types.ts';
import { ResponseFields } from './response-fields.ts';

/** The compressed form of a body, and the head that goes with it. */
export class KeptForm {
  readonly body: Buffer;
  readonly coding: Coding;
  private head: ResponseHead | undefined;
  private codedHead: ResponseHead | undefined;

  constructor(body: Buffer, coding: Coding) {
    this.body = body;
    this.coding = coding;
  }

  /** The head for it, made once for each head of the body. */
  headFor(head: ResponseHead): ResponseHead {
    if (this.codedHead === undefined || this.head !== head) {
      this.head = head;
      this.codedHead = new ResponseFields(head).codedHead(this.coding);
    }
    return this.codedHead;
  }
}

/** What is known of a body that is kept: its form in a coding, that one is being made, or that none comes of it. */
type FormState = KeptForm | 'pending' | 'useless';

/** What a form takes besides its bytes: its objects and its head. */
const formBytes = 2048;

/**
 * Compressed forms of bodies that somebody keeps in memory, such as cached responses: each made once, under one bound in
 * bytes, the least recently used leaving first. A body is known by its buffer, so a form is gone with it.
 */
export class KeptForms {
  private readonly states = new WeakMap<Buffer, Map<Coding, FormState>>();
  /** What the heads of bodies say: they are asked for again and again. */
  private readonly heads = new WeakMap<ResponseHead, ResponseFields>();
  /** In the order of use; with each form the way to forget it. */
  private readonly used = new Map<KeptForm, () => void>();
  /** Frees the form of a body that is not kept any more. */
  private readonly bodies = new FinalizationRegistry<KeptForm>((form) => this.drop(form));
  private readonly forms: CodedForms;
  private readonly gauge: Pick<Gauge, 'set'>;
  private most: number;
  private held = 0;
  /** The one that was used last: it need not be moved again. */
  private latest: KeptForm | undefined;
  /** Bodies asked for: each has a name of its own. */
  private count = 0;

  /** @param most bytes */
  constructor(most: number, forms: CodedForms, gauge: Pick<Gauge, 'set'>) {
    this.most = most;
    this.forms = forms;
    this.gauge = gauge;
  }

  /** Bytes held. */
  get bytes(): number {
    return this.held;
  }

  /** Takes a new bound, at reload. */
  configure(most: number): void {
    this.most = most;
    this.evict();
  }

  /** Whether a response may be compressed, by its head. @param withCookies whether also one that sets a cookie */
  allows(head: ResponseHead, types: MediaTypes, withCookies: boolean): boolean {
    let fields = this.heads.get(head);
    if (fields === undefined) this.heads.set(head, (fields = new ResponseFields(head)));
    const { coded, partial, noTransform, setsCookie, contentType } = fields;
    if (coded || partial || noTransform || (setsCookie && !withCookies)) return false;
    return (
      head.status >= 200 &&
      ![204, 205, 206, 304].includes(head.status) &&
      contentType !== undefined &&
      types.has(contentType)
    );
  }

  /**
   * The form of a body. When there is none it is made, if there is room for it and a thread.
   * @param body     never changes, and stays the same object for as long as it is kept
   * @param codings  what the client accepts, the preferred one first
   * @param shelf    where it is looked for first, and put when it was made
   * @returns the form; `pending` while it is made; `useless` when none is smaller; undefined when none can be made now
   */
  find(body: Buffer, codings: readonly Coding[], shelf?: FormShelf): KeptForm | 'pending' | 'useless' | undefined {
    let states = this.states.get(body);
    if (states === undefined) this.states.set(body, (states = new Map()));
    for (const coding of codings) {
      const state = states.get(coding);
      if (state instanceof KeptForm) return this.touched(state);
      if (state === 'pending') return 'pending';
      if (state === undefined) return this.obtain(body, coding, states, shelf);
    }
    return 'useless';
  }

  /** The form for a client, when there is one; nothing else happens. @param codings as for `find` */
  ready(body: Buffer, codings: readonly Coding[]): KeptForm | undefined {
    const states = this.states.get(body);
    if (states === undefined) return undefined;
    for (const coding of codings) {
      const state = states.get(coding);
      if (state instanceof KeptForm) return this.touched(state);
      if (state !== 'useless') return undefined;
    }
    return undefined;
  }

  /** Says that a form is used once more. @returns whether it is still kept */
  use(form: KeptForm): boolean {
    if (form === this.latest) return true;
    if (!this.used.has(form)) return false;
    this.touched(form);
    return true;
  }

  /** From the shelf, or made. */
  private obtain(
    body: Buffer,
    coding: Coding,
    states: Map<Coding, FormState>,
    shelf: FormShelf | undefined,
  ): 'pending' | undefined {
    if (body.length > this.most / 4) return undefined;
    if (shelf === undefined || !this.forms.makes(coding, body.length)) return this.make(body, coding, states, shelf);
    states.set(coding, 'pending');
    shelf.find(coding, (coded) => {
      if (coded !== undefined) this.keep(body, coding, new KeptForm(coded, coding), states);
      // Refused, it is asked for once more with the next request.
      else if (this.make(body, coding, states, shelf) === undefined) states.delete(coding);
    });
    return 'pending';
  }

  private make(
    body: Buffer,
    coding: Coding,
    states: Map<Coding, FormState>,
    shelf: FormShelf | undefined,
  ): 'pending' | undefined {
    const asked = this.forms.request(`kept ${++this.count}`, body, coding, (coded) => {
      if (coded === undefined) {
        states.set(coding, 'useless');
        return;
      }
      this.keep(body, coding, new KeptForm(coded, coding), states);
      shelf?.keep(coding, coded);
    });
    if (asked === 'refused') return undefined;
    states.set(coding, 'pending');
    return 'pending';
  }

  private keep(body: Buffer, coding: Coding, form: KeptForm, states: Map<Coding, FormState>): void {
    states.set(coding, form);
    this.used.set(form, () => states.delete(coding));
    this.latest = form;
    this.held += form.body.length + formBytes;
    this.bodies.register(body, form, form);
    this.evict();
  }

  private touched(form: KeptForm): KeptForm {
    if (form === this.latest) return form;
    this.latest = form;
    const forget = this.used.get(form);
    if (forget !== undefined) {
      this.used.delete(form);
      this.used.set(form, forget);
    }
    return form;
  }

  private evict(): void {
    for (const form of this.used.keys()) {
      if (this.held <= this.most) break;
      this.drop(form);
    }
    this.gauge.set(this.held);
  }

  private drop(form: KeptForm): void {
    const forget = this.used.get(form);
    if (forget === undefined) return;
    forget();
    if (this.latest === form) this.latest = undefined;
    this.used.delete(form);
    this.bodies.unregister(form);
    this.held -= form.body.length + formBytes;
    this.gauge.set(this.held);
  }
}
