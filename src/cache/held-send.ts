import type { Exchange } from '../listener/exchange.ts';
import type { ResponseHead } from '../response/response-head.ts';
import type { FileResponse } from '../static/range-response.ts';

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

/** The same for a body in several parts. */
export function sendHeldParts(
  exchange: Exchange,
  { head, length }: FileResponse,
  parts: readonly Buffer[],
  held: HeldMemory,
): void {
  if (exchange.aborted) return held.unpin(false);
  let next = 0;
  let pinned = false;
  const release = (): void => {
    exchange.onDrain = undefined;
    exchange.onAborted = undefined;
    held.unpin(pinned);
  };
  const proceed = (): void => {
    for (let part = parts[next]; part !== undefined; part = parts[next]) {
      next++;
      const taken = exchange.responded ? exchange.write(part) : exchange.stream(head, length, part);
      if (exchange.aborted) return;
      if (taken) continue;
      if (!pinned) held.pin();
      pinned = true;
      return;
    }
    release();
    exchange.end();
  };
  exchange.onAborted = release;
  exchange.onDrain = proceed;
  proceed();
}
