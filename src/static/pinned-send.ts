import type { Exchange } from '../listener/exchange.ts';
import type { ResponseHead } from '../response/response-head.ts';
import type { CacheEntry } from './cache-entry.ts';
import type { FileCache } from './file-cache.ts';
import type { Representation } from './representation.ts';

/** Up to this size a body is given away whole: sockets take as much at once, so no client can make it pile up. */
export const unpinnedBytes = 64 * 1024;
/** What is handed to the connection at a time. */
const pieceBytes = 1024 ** 2;
/** Then it is others' turn, however fast the client is. NGINX: `sendfile_max_chunk`. */
const turnPieces = 2;

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
  cache.sent(representation);
  const first = chunk.length > pieceBytes ? chunk.subarray(0, pieceBytes) : chunk;
  const taken = exchange.stream(head, chunk.length, first);
  if (taken && first === chunk) return exchange.end();
  if (!exchange.aborted) new PinnedSend(exchange, chunk, cache, entry, representation).begin(taken);
}

/** The rest of such a response, which the connection has not taken at once. */
class PinnedSend {
  private readonly exchange: Exchange;
  private readonly chunk: Buffer;
  private readonly cache: FileCache;
  private readonly entry: CacheEntry;
  private readonly representation: Representation;
  /** Bytes handed over. */
  private given = pieceBytes;
  private released = false;

  constructor(exchange: Exchange, chunk: Buffer, cache: FileCache, entry: CacheEntry, representation: Representation) {
    this.exchange = exchange;
    this.chunk = chunk;
    this.cache = cache;
    this.entry = entry;
    this.representation = representation;
  }

  /** @param taken whether the connection takes more now */
  begin(taken: boolean): void {
    this.cache.pin(this.entry, this.representation);
    this.exchange.onAborted = () => this.release();
    this.exchange.onDrain = () => this.proceed();
    if (taken) this.proceed();
  }

  private proceed(): void {
    const { chunk, exchange } = this;
    for (let pieces = 0; this.given < chunk.length; pieces++) {
      if (pieces === turnPieces) return void setImmediate(() => this.goOn());
      const piece = chunk.subarray(this.given, this.given + pieceBytes);
      this.given += piece.length;
      // The client may go away while it is written to.
      if (!exchange.write(piece) || this.released) return;
    }
    this.release();
    exchange.end();
  }

  private goOn(): void {
    if (!this.released) this.proceed();
  }

  private release(): void {
    this.released = true;
    this.exchange.onDrain = undefined;
    this.exchange.onAborted = undefined;
    this.cache.unpin(this.entry, this.representation);
  }
}
