import type { Exchange } from '../listener/exchange.ts';
import { ExchangeView } from '../response/exchange-view.ts';
import { linesWithout } from '../response/field-lines.ts';
import { ResponseHead } from '../response/response-head.ts';

/** Fields for each response of a route. */
export interface ResponseFieldPlan {
  /** `\r\nname: value` lines, by name in lower case, for responses that have no such field. */
  readonly missing: readonly (readonly [name: string, line: Buffer])[];
  /** Names in lower case that are taken out. */
  readonly removed: readonly string[];
  /** `\r\nname: value` lines that are added. */
  readonly added: Buffer;
}

/** An exchange whose response gets fields, whoever responds. WebSockets and the like get none. */
export class ResponseFieldsExchange extends ExchangeView {
  readonly #plan: ResponseFieldPlan;

  constructor(inner: Exchange, plan: ResponseFieldPlan) {
    super(inner);
    this.#plan = plan;
  }

  override respond(head: ResponseHead, body: Uint8Array): void {
    this.inner.respond(this.#changed(head), body);
  }

  override respondHead(head: ResponseHead, length: number | undefined): void {
    this.inner.respondHead(this.#changed(head), length);
  }

  override stream(head: ResponseHead, length: number | undefined, chunk?: Uint8Array): boolean {
    return super.stream(this.#changed(head), length, chunk);
  }

  #changed(head: ResponseHead): ResponseHead {
    const { missing, removed, added } = this.#plan;
    const names = head.block.toString('latin1').toLowerCase();
    const has = (name: string): boolean => names.includes(`\r\n${name}:`);
    const kept = removed.some(has) ? linesWithout(head.block, removed) : head.block;
    const lines = [kept, added];
    for (const [name, line] of missing) if (!has(name)) lines.push(line);
    return new ResponseHead(head.status, Buffer.concat(lines));
  }
}
