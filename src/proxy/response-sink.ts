import type { Exchange } from '../listener/exchange.ts';

/**
 * Where a response goes as it comes from upstream: to the client directly (the exchange is such a sink), or through a
 * buffer that takes it faster than the client does.
 */
export type ResponseSink = Pick<
  Exchange,
  'respond' | 'respondHead' | 'stream' | 'write' | 'copyHeld' | 'end' | 'abort' | 'bytesSent'
> & {
  onDrain: (() => void) | undefined;
  /** True when the body given to `respond` is not read any more, whatever `bytesSent` says. */
  readonly bodyFree?: boolean;
};
