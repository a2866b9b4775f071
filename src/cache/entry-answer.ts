import type { FormShelf } from '../compression/form-shelf.ts';
import { answerCompressed } from '../compression/route-compression.ts';
import { ifRangeHolds } from '../http/conditional.ts';
import { parseByteRanges } from '../http/range.ts';
import type { Exchange } from '../listener/exchange.ts';
import type { RequestContext } from '../request/request-context.ts';
import { respondError } from '../response/error-response.ts';
import { PorticoError } from '../response/portico-error.ts';
import { type FileResponse, partOfFile, unsatisfiedRangeLine } from '../static/range-response.ts';
import type { ReadBuffer, ReadBufferPool } from '../static/read-buffer-pool.ts';
import type { CacheOutcome } from './cache-status.ts';
import type { CacheZone } from './cache-zone.ts';
import type { CachedRouteConfig } from './cached-route.ts';
import { EntryHeads, type HeadRules } from './entry-heads.ts';
import { streamEntry } from './entry-stream.ts';
import { type HeldMemory, sendHeld, sendHeldParts } from './held-send.ts';
import { evaluateClientConditions } from './policy/validation.ts';
import { field, RequestTrait } from './request-field.ts';
import type { StoreEntry } from './response-store.ts';
import { StoredForms } from './stored-forms.ts';

/** Up to this size a body is given away whole: sockets take as much at once, so no client can make it pile up. */
const unpinnedBytes = 64 * 1024;

/** Bodies up to this size are read in one piece; it is one of the sizes that are lent, as the smaller one is. */
const wholeReadBytes = 256 * 1024;
const smallReadBytes = 64 * 1024;

/** Answers requests with stored responses: whole, in part, or not at all where the client has them. */
export class EntryAnswer {
  private readonly heads: HeadRules;
  private readonly zone: CacheZone;
  private readonly buffers: ReadBufferPool;
  private readonly gone: (context: RequestContext) => void;

  /** @param gone what to do when an entry turns out unreadable before anything of it was sent */
  constructor(
    config: CachedRouteConfig,
    zone: CacheZone,
    buffers: ReadBufferPool,
    gone: (context: RequestContext) => void,
  ) {
    const { rules, responseFields, removedResponseFields, compression } = config;
    this.heads = {
      responseFields,
      removed: removedResponseFields,
      cacheStatus: rules.cacheStatus,
      xCache: rules.xCache,
      rules,
      compression,
    };
    this.zone = zone;
    this.buffers = buffers;
    this.gone = gone;
  }

  /** The heads for an entry; kept with the entry, until another route answers with it. */
  of(entry: StoreEntry): EntryHeads {
    const { prepared } = entry;
    if (prepared instanceof EntryHeads && prepared.owner === this.heads) return prepared;
    const heads = new EntryHeads(entry.response, this.heads);
    entry.prepared = heads;
    return heads;
  }

  /**
   * Answers a request of which only the line and single fields were looked at, with an entry that is fresh and whose body is
   * in memory, or as good as that.
   * @returns false, with nothing done, when that takes more
   */
  glance(context: RequestContext, entry: StoreEntry, now: number): boolean {
    const { exchange } = context;
    const { head } = exchange;
    const { contents } = entry;
    const heads = this.of(entry);
    if (now >= heads.freshUntil) return false;
    if (head.peek('authorization') !== undefined && !heads.answersAuthorized) return false;
    const known = head.peek('if-none-match');
    if (known !== undefined) {
      const unchanged = heads.unchangedSince(head, known, now, contents);
      if (unchanged === undefined) return false;
      this.count(entry);
      exchange.respondHead(unchanged, undefined);
      return true;
    }
    if (head.peek('if-modified-since') !== undefined || head.peek('range') !== undefined) return false;
    if (contents === undefined) return this.glanceOnDisk(context, entry, heads, now);
    const answer = heads.answer(head, now, contents);
    if (answer === undefined) return false;
    this.count(entry);
    const { body, coding } = answer;
    if (coding !== undefined) context.coding = coding;
    if (body !== contents || body.length <= unpinnedBytes || head.method === 'HEAD')
      exchange.respond(answer.head, body);
    else sendHeld(exchange, answer.head, body, new PinnedEntry(entry));
    return true;
  }

  private glanceOnDisk({ exchange }: RequestContext, entry: StoreEntry, heads: EntryHeads, now: number): boolean {
    const { bodyLength, status } = entry.response;
    if (bodyLength > wholeReadBytes || this.heads.compression !== undefined) return false;
    if (exchange.head.method === 'HEAD' || status === 204) return false;
    const buffer = this.buffers.tryAcquire(bodyLength <= smallReadBytes ? smallReadBytes : wholeReadBytes);
    if (buffer === undefined) return false;
    const { memory } = buffer;
    if (memory.length < bodyLength || !entry.readNow(memory)) {
      this.buffers.release(buffer);
      return false;
    }
    this.count(entry);
    sendHeld(
      exchange,
      heads.whole(now, undefined),
      memory.subarray(0, bodyLength),
      new LentMemory(this.buffers, buffer),
    );
    return true;
  }

  /** What the route makes of a response that is not an entry yet. */
  headsOf(response: StoreEntry['response']): EntryHeads {
    return new EntryHeads(response, this.heads);
  }

  /** `\r\nname: value` lines that tell what the cache did with a response that comes from upstream. */
  linesFor(outcome: CacheOutcome): string {
    return this.heads.cacheStatus === undefined && !this.heads.xCache ? '' : EntryHeads.traceLines(outcome, this.heads);
  }

  /**
   * Answers with an entry that is fresh, or may be used all the same.
   * @param traits of the request, as `requestTraits` gives them
   * @param now    milliseconds since 1970
   */
  send(
    context: RequestContext,
    entry: StoreEntry,
    outcome: CacheOutcome | undefined,
    traits: number,
    now: number,
  ): void {
    const heads = this.of(entry);
    const { exchange } = context;
    const { contents } = entry;
    if ((traits & RequestTrait.conditions) !== 0) {
      return this.sendConditionally(context, entry, heads, outcome, traits, now);
    }
    const whole = heads.whole(now, outcome);
    if (contents === undefined || contents.length > unpinnedBytes) {
      return this.sendBody(context, entry, whole, undefined);
    }
    this.zone.metrics.memory.add(1);
    if (!answerCompressed(context, whole, contents, this.formsOf(entry, contents))) exchange.respond(whole, contents);
  }

  private sendConditionally(
    context: RequestContext,
    entry: StoreEntry,
    heads: EntryHeads,
    outcome: CacheOutcome | undefined,
    traits: number,
    now: number,
  ): void {
    const { exchange } = context;
    const { head } = exchange;
    const { response } = entry;
    if (
      (traits & RequestTrait.validation) !== 0 &&
      evaluateClientConditions(response, head.fields, now / 1000) === 'not-modified'
    ) {
      this.count(entry);
      return exchange.respondHead(heads.notModified(now, outcome), undefined);
    }
    // RFC 9110 section 14.2: a Range means something with GET only; other responses than 200 are no representation to cut.
    const range = head.method === 'GET' && response.status === 200 ? field(head, 'range') : undefined;
    const whole = heads.whole(now, outcome);
    if (range === undefined || !rangeApplies(field(head, 'if-range'), entry, now)) {
      return this.sendBody(context, entry, whole, undefined);
    }
    const parts = heads.partial(entry.response.bodyLength, whole);
    const ranges = head.fields.all('range').length > 1 ? undefined : parseByteRanges(range, parts.size);
    if (ranges === undefined) return this.sendBody(context, entry, whole, undefined);
    if (ranges !== 'unsatisfiable') return this.sendBody(context, entry, whole, partOfFile(parts, ranges));
    const error = new PorticoError('range_not_satisfiable', `no range within ${parts.size} bytes`);
    respondError(context, error, unsatisfiedRangeLine(parts));
  }

  /** @param part undefined for the whole body */
  private sendBody(
    context: RequestContext,
    entry: StoreEntry,
    whole: ReturnType<EntryHeads['whole']>,
    part: FileResponse | undefined,
  ): void {
    const { exchange } = context;
    const { contents } = entry;
    const { bodyLength, status } = entry.response;
    this.count(entry);
    if (contents !== undefined && part === undefined) {
      if (answerCompressed(context, whole, contents, this.formsOf(entry, contents))) return;
    }
    if (exchange.head.method === 'HEAD' || status === 204)
      return exchange.respondHead(whole, status === 204 ? undefined : bodyLength);
    if (contents !== undefined) {
      if (part !== undefined) return sendPart(exchange, part, contents, new PinnedEntry(entry));
      if (contents.length <= unpinnedBytes) return exchange.respond(whole, contents);
      return sendHeld(exchange, whole, contents, new PinnedEntry(entry));
    }
    if (bodyLength === 0) return exchange.respond(whole, Buffer.alloc(0));
    const response = part ?? { head: whole, length: bodyLength, segments: [{ first: 0, last: bodyLength - 1 }] };
    streamEntry(context, entry, response, this.buffers, this.gone);
  }

  /** Where the compressed forms of an entry are kept; undefined where that would be no longer than in memory. */
  private formsOf(entry: StoreEntry, contents: Buffer): FormShelf | undefined {
    const { store } = this.zone;
    const isUsed = this.heads.compression !== undefined && store.isDurable;
    return isUsed ? new StoredForms(store, entry, contents) : undefined;
  }

  private count({ source }: StoreEntry): void {
    this.zone.metrics[source].add(1);
  }
}

class PinnedEntry implements HeldMemory {
  private readonly entry: StoreEntry;

  constructor(entry: StoreEntry) {
    this.entry = entry;
  }

  pin(): void {
    this.entry.pin();
  }

  unpin(wasPinned: boolean): void {
    if (wasPinned) this.entry.unpin();
  }
}

class LentMemory implements HeldMemory {
  private readonly buffers: ReadBufferPool;
  private readonly buffer: ReadBuffer;

  constructor(buffers: ReadBufferPool, buffer: ReadBuffer) {
    this.buffers = buffers;
    this.buffer = buffer;
  }

  pin(): void {}

  unpin(): void {
    this.buffers.release(this.buffer);
  }
}

/** Sends one part or several of a body that is in memory. */
function sendPart(exchange: Exchange, part: FileResponse, contents: Buffer, held: HeldMemory): void {
  const chunks = part.segments.map((segment) =>
    segment instanceof Uint8Array ? segment : contents.subarray(segment.first, segment.last + 1),
  );
  const [only] = chunks;
  const isSmall = contents.length <= unpinnedBytes;
  if (chunks.length > 1 || only === undefined) {
    if (isSmall) exchange.respond(part.head, Buffer.concat(chunks));
    else sendHeldParts(exchange, part, chunks, held);
  } else if (isSmall) exchange.respond(part.head, only);
  else sendHeld(exchange, part.head, only, held);
}

function rangeApplies(ifRange: string | undefined, { response }: StoreEntry, now: number): boolean {
  const { etag = '', lastModified } = response;
  const seconds = lastModified === undefined ? Number.NaN : lastModified / 1000;
  return ifRangeHolds(ifRange, { etag, lastModified: seconds }, now / 1000);
}
