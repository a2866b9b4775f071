import type { Exchange } from '../listener/exchange.ts';
import type { CacheEntry } from './cache-entry.ts';
import { identityIndex } from './content-coding.ts';
import type { FileCache } from './file-cache.ts';
import { sendPinned, unpinnedBytes } from './pinned-send.ts';

/**
 * Answers with the contents in memory, or with 304 when the client names exactly what is there. Every other condition
 * is for `FileResponder.send`, which reads the fields: here a second field of a name is not seen, and need not be, as a
 * server may always answer with the whole file.
 * @returns false when it has not answered
 */
export function glanceAtFile(exchange: Exchange, entry: CacheEntry, cache: FileCache): boolean {
  const { head } = exchange;
  const { siblings } = entry;
  // Which form is best, or is still to be made, takes the fields.
  if (entry.made !== undefined && head.peek('accept-encoding') !== undefined) return false;
  let index: number = identityIndex;
  if (siblings !== 0) index = cache.codings.choice(head.peek('accept-encoding'))[siblings] ?? identityIndex;
  const ready = index === identityIndex ? entry.ready : entry.representations[index]?.ok;
  if (ready === undefined) return false;
  if (head.peek('if-match') !== undefined || head.peek('if-unmodified-since') !== undefined) return false;
  const known = head.peek('if-none-match');
  if (known !== undefined) {
    if (known !== ready.etag) return false;
    cache.hits.add(1);
    exchange.respondHead(ready.notModified, undefined);
    return true;
  }
  const { contents } = ready;
  if (contents === undefined) return false;
  if (head.peek('if-modified-since') !== undefined || head.peek('range') !== undefined) return false;
  cache.hits.add(1);
  if (contents.length <= unpinnedBytes || head.method === 'HEAD') exchange.respond(ready, contents);
  else {
    const representation = entry.representations[index];
    if (representation === undefined) return false;
    sendPinned(exchange, ready, contents, cache, entry, representation);
  }
  return true;
}
