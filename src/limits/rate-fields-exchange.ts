import type { Exchange } from '../listener/exchange.ts';
import { ExchangeView } from '../response/exchange-view.ts';
import type { ResponseHead } from '../response/response-head.ts';
import { rateFields } from './rate-fields.ts';
import type { RateZone } from './rate-zone.ts';

/** An exchange whose response tells the client what it has left of its limits. */
class RateFieldsExchange extends ExchangeView {
  readonly #fields: Buffer;

  constructor(inner: Exchange, fields: Buffer) {
    super(inner);
    this.#fields = fields;
  }

  override respond(head: ResponseHead, body: Uint8Array): void {
    this.inner.respond(head.with(this.#fields), body);
  }

  override respondHead(head: ResponseHead, length: number | undefined): void {
    this.inner.respondHead(head.with(this.#fields), length);
  }

  override stream(head: ResponseHead, length: number | undefined, chunk?: Uint8Array): boolean {
    return super.stream(head.with(this.#fields), length, chunk);
  }
}

/** The exchange with the fields of these zones, which have just been asked about its request. */
export function tellRates(exchange: Exchange, zones: readonly RateZone[], now: number): Exchange {
  let fields = '';
  for (const zone of zones) {
    const state = zone.state(now);
    if (state !== undefined) fields += rateFields(zone, state.left, state.fullInMs);
  }
  return fields === '' ? exchange : new RateFieldsExchange(exchange, Buffer.from(fields, 'latin1'));
}
