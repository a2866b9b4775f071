import type { RequestContext } from '../request/request-context.ts';

/** What of a request is known when its line is written. */
export interface LineTimes {
  /** `Date.now()`. */
  readonly time: number;
  /** From the request head to the end of the response. */
  readonly durationMs: number;
}

/**
 * Makes an access log line without its line end.
 * @param maxFieldLength characters that are kept of what the client sent, of each field
 */
export type LineFormat = (context: RequestContext, times: LineTimes, maxFieldLength: number) => string;

/**
 * The status of the log and the metrics: of a response that never began the one its error would have had, or 499 when
 * the client left, as in NGINX.
 */
export function loggedStatus(context: RequestContext): number {
  const { status } = context.exchange;
  return status === 0 ? (context.error?.status ?? 499) : status;
}

export function clientAddress(context: RequestContext): string {
  return context.client?.address ?? context.exchange.connection.remoteAddress;
}

/** The text, cut with a mark behind it where it is longer. */
export function clipField(text: string, maxLength: number): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength)}...`;
}
