/** How fast a client has to take what is sent to it. */
export interface PaceLimit {
  /** Bytes a second on average; 0 for none. */
  readonly minSendRate?: number;
  /** How long it may take as little as it likes, milliseconds. */
  readonly minSendRateGraceMs?: number;
}

/**
 * Whether a client takes what is sent to it fast enough on average. Only the time counts in which it was waited for, as
 * seen every few seconds: an application that has nothing to send is not the client's fault.
 */
export class SendPace {
  #waitedMs = 0;
  #bytesAtFirst = -1;
  /** When it was seen waited for last; 0 when it was not at the last look. */
  #seenAt = 0;

  /** It is not waited for at this moment. */
  rest(): void {
    this.#seenAt = 0;
  }

  /** It is waited for at this moment. @param bytes it has taken in all; what it had at the first call costs it nothing */
  isTooSlow(now: number, bytes: number, { minSendRate = 0, minSendRateGraceMs = 30_000 }: PaceLimit): boolean {
    if (this.#seenAt > 0) this.#waitedMs += now - this.#seenAt;
    this.#seenAt = now;
    if (this.#bytesAtFirst < 0) this.#bytesAtFirst = bytes;
    return (bytes - this.#bytesAtFirst) * 1000 < minSendRate * (this.#waitedMs - minSendRateGraceMs);
  }
}
