import type { Exchange } from '../listener/exchange.ts';
import type { ResponseHead } from '../response/response-head.ts';

/** Memory that is not free while a response is sent from it. */
export interface HeldMemory {
  /** The client takes it slowly. */
  pin(): void;
  /** Called once after `pin`, or in its place: nobody reads from it any more. */
  unpin(wasPinned: boolean): void;
}

/** Sends a body that a socket may not take at once, from memory that somebody holds for as long as that lasts. */
export function sendHeld(exchange: Exchange, head: ResponseHead, body: Buffer, held: HeldMemory): void {
  if (exchange.stream(head, body.length, body)) {
    held.unpin(false);
    return exchange.end();
  }
  if (exchange.aborted) return held.unpin(false);
  held.pin();
  const release = (): void => {
    exchange.onDrain = undefined;
    exchange.onAborted = undefined;
    held.unpin(true);
  };
  exchange.onAborted = release;
  exchange.onDrain = () => {
    release();
    exchange.end();
  };
}
