import type { ToPrimary, ToWorker } from '../ipc/message.ts';
import type { PurgeOrder, PurgeRequest } from './purge.ts';
import { PurgeOrders } from './purge-orders.ts';

/** How a request to purge ended: every worker obeys, or why that is not known. */
export type PurgeResult = { readonly ok: true } | { readonly ok: false; readonly error: string };

/** Requests of clients that wait for the primary at the same time; further ones are refused. */
const maxWaiting = 256;
/** The primary gives up on a worker after this long; a little more for the way. */
const answerTimeoutMs = 6000;

/** The worker's end of purging: keeps the orders that the primary gives, and passes on what clients of this worker want. */
export class PurgeClient {
  readonly orders = new PurgeOrders();
  private readonly send: (message: ToPrimary) => void;
  private readonly waiting = new Map<number, (result: PurgeResult) => void>();
  private nextId = 1;

  constructor(send: (message: ToPrimary) => void) {
    this.send = send;
  }

  /** Every order that counts, as it comes with a configuration. */
  configure(orders: readonly PurgeOrder[]): void {
    this.orders.add(orders);
  }

  receive(message: Extract<ToWorker, { type: 'cache-purge' | 'cache-purge-done' }>): void {
    if (message.type === 'cache-purge') {
      this.orders.add(message.orders);
      this.orders.retire(message.retired);
      return this.send({ type: 'cache-purged', round: message.round });
    }
    const { id, error } = message;
    this.waiting.get(id)?.(error === undefined ? { ok: true } : { ok: false, error });
  }

  /**
   * Purges in every worker, for a client that waits for it.
   * @param answered called once, later: when every worker obeys, or after a timeout
   */
  purge(requests: readonly PurgeRequest[], answered: (result: PurgeResult) => void): void {
    if (this.waiting.size >= maxWaiting) {
      setImmediate(answered, { ok: false, error: 'too many requests to purge at once' });
      return;
    }
    const id = this.nextId++;
    const settle = (result: PurgeResult): void => {
      clearTimeout(timer);
      this.waiting.delete(id);
      answered(result);
    };
    const timer = setTimeout(() => settle({ ok: false, error: 'the primary did not answer in time' }), answerTimeoutMs);
    this.waiting.set(id, settle);
    this.order(requests, id);
  }

  /**
   * What a request with an unsafe method has changed (RFC 9111 section 4.4). This worker obeys at once, the others a moment
   * later. Only for what is stored: each call costs every worker a message, and the disk a line.
   */
  invalidate(requests: readonly PurgeRequest[]): void {
    this.order(requests);
  }

  private order(requests: readonly PurgeRequest[], id?: number): void {
    const time = Date.now();
    for (const request of requests) this.orders.anticipate({ ...request, time });
    this.send({ type: 'cache-purge-wanted', time, requests, ...(id === undefined ? {} : { id }) });
  }
}
