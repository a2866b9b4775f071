import type { Exchange } from '../listener/exchange.ts';
import type { ResponseHead } from '../response/response-head.ts';
import type { CacheEntry } from './cache-entry.ts';
import type { FileCache } from './file-cache.ts';
import type { Representation } from './representation.ts';

/** Up to this size a body is given away whole: sockets take as much at once, so no client can make it pile up. */
export const unpinnedBytes = 64 * 1024;

/**
 * Sends cached contents that a socket may not take at once. While a slow client holds them they count against the bound
 * of the cache, even after they have left it.
 * @param chunk all of the contents, or a part
 */
export function sendPinned(
  exchange: Exchange,
  head: ResponseHead,
  chunk: Buffer,
  cache: FileCache,
  entry: CacheEntry,
  representation: Representation,
): void {
  if (exchange.stream(head, chunk.length, chunk)) return exchange.end();
  if (exchange.aborted) return;
  cache.pin(entry, representation);
  const release = (): void => {
    exchange.onDrain = undefined;
    exchange.onAborted = undefined;
    cache.unpin(entry, representation);
  };
  exchange.onAborted = release;
  exchange.onDrain = () => {
    release();
    exchange.end();
  };
}
