import { evaluatePreconditions, ifRangeHolds } from '../http/conditional.ts';
import { parseByteRanges } from '../http/range.ts';
import type { Counter } from '../metrics/recorder.ts';
import type { RequestContext } from '../request/request-context.ts';
import { respondError } from '../response/error-response.ts';
import { PorticoError } from '../response/portico-error.ts';
import type { CacheEntry } from './cache-entry.ts';
import type { CompressedFile } from './compressed-file.ts';
import { CodingChooser, identityIndex } from './content-coding.ts';
import type { FileCache } from './file-cache.ts';
import { openRepresentation } from './open-file.ts';
import { sendPinned, unpinnedBytes } from './pinned-send.ts';
import { type FileResponse, partOfFile, unsatisfiedRangeLine, wholeFile } from './range-response.ts';
import { RangeStream } from './range-stream.ts';
import type { Representation } from './representation.ts';
import { RequestConditions } from './request-conditions.ts';
import { ServedFile, type StreamResources } from './served-file.ts';

/** What the responder asks of the handler when a file cannot be sent from what is in memory. */
export interface FileSource {
  /** Reads the contents into memory, then answers again. */
  readContents(context: RequestContext, entry: CacheEntry, index: number, attempt: number): void;
  /** A file could not be opened. */
  openFailed(context: RequestContext, entry: CacheEntry, index: number, attempt: number, error: unknown): void;
}

/** Sends a file that was found: chooses the representation, obeys the conditions of the request, sends all or parts. */
export class FileResponder {
  private readonly cache: FileCache;
  private readonly source: FileSource;
  private readonly resources: StreamResources;
  private readonly compressed: CompressedFile | undefined;
  private readonly conditions = new RequestConditions();
  private readonly codings = new CodingChooser();
  /** Counts the current request; valid, as the conditions, until the next `send`. */
  private served: Counter;

  /** @param compressed sends what was compressed here; undefined where nothing is */
  constructor(cache: FileCache, source: FileSource, resources: StreamResources, compressed?: CompressedFile) {
    this.compressed = compressed;
    this.cache = cache;
    this.source = source;
    this.resources = resources;
    this.served = cache.hits;
  }

  /**
   * @param attempt how often the file had changed under this request's hands before
   * @param fromDisk whether the contents were read for this request
   */
  send(context: RequestContext, entry: CacheEntry, attempt: number, fromDisk: boolean): void {
    const { conditions } = this;
    let { exchange } = context;
    this.served = fromDisk ? this.cache.misses : this.cache.hits;
    conditions.read(exchange.head.fields);
    const { siblings } = entry;
    const index =
      siblings === 0 ? identityIndex : (this.codings.choice(conditions.acceptEncoding)[siblings] ?? identityIndex);
    if (index === identityIndex && entry.made !== undefined && this.compressed !== undefined) {
      if (this.compressed.answer(context, entry, conditions)) return;
      // It may be a view now that compresses, and shows other conditions.
      if (exchange !== context.exchange) conditions.read(context.exchange.head.fields);
      exchange = context.exchange;
    }
    const representation = entry.representations[index];
    if (representation === undefined) {
      return respondError(context, new PorticoError('internal', 'an entry without the file it stands for'));
    }
    if (conditions.conditional) return this.sendConditionally(context, entry, index, representation, attempt);
    const { contents } = representation;
    if (contents !== undefined && contents.length <= unpinnedBytes) {
      this.served.add(1);
      exchange.respond(representation.ok, contents);
    } else {
      this.sendSegments(context, entry, index, representation, undefined, attempt);
    }
  }

  private sendConditionally(
    context: RequestContext,
    entry: CacheEntry,
    index: number,
    representation: Representation,
    attempt: number,
  ): void {
    const { conditions } = this;
    const { exchange } = context;
    const nowSeconds = Date.now() / 1000;
    const result = evaluatePreconditions(conditions, representation, nowSeconds);
    if (result === 'failed') {
      return respondError(context, new PorticoError('precondition_failed', 'the file is another one by now'));
    }
    if (result === 'not-modified') {
      this.served.add(1);
      return exchange.respondHead(representation.notModified, undefined);
    }
    let response: FileResponse | undefined;
    // RFC 9110 section 14.2: a Range means something with GET only.
    if (conditions.range !== undefined && exchange.head.method === 'GET') {
      const ranges = ifRangeHolds(conditions.ifRange, representation, nowSeconds)
        ? parseByteRanges(conditions.range, representation.size)
        : undefined;
      if (ranges === 'unsatisfiable') {
        const error = new PorticoError('range_not_satisfiable', `no range within ${representation.size} bytes`);
        return respondError(context, error, unsatisfiedRangeLine(representation));
      }
      if (ranges !== undefined) response = partOfFile(representation, ranges, context.origin?.contentType);
    }
    this.sendSegments(context, entry, index, representation, response, attempt);
  }

  /** @param response undefined for the whole file */
  private sendSegments(
    context: RequestContext,
    entry: CacheEntry,
    index: number,
    representation: Representation,
    response: FileResponse | undefined,
    attempt: number,
  ): void {
    const { exchange } = context;
    const { contents, size } = representation;
    if (exchange.head.method === 'HEAD') {
      this.served.add(1);
      return exchange.respondHead(representation.ok, size);
    }
    if (contents === undefined) {
      const asked = response?.length ?? size;
      if (this.cache.beginReading(entry, representation, asked))
        return this.source.readContents(context, entry, index, attempt);
    } else if (this.sendFromMemory(context, entry, representation, contents, response)) return;
    void this.stream(context, entry, index, response ?? wholeFile(representation), attempt);
  }

  /** @returns false for several large parts: put together they would be a second copy, which nothing bounds */
  private sendFromMemory(
    { exchange }: RequestContext,
    entry: CacheEntry,
    representation: Representation,
    contents: Buffer,
    response: FileResponse | undefined,
  ): boolean {
    const { head, length, segments } = response ?? wholeFile(representation);
    const [first] = segments;
    if (segments.length > 1 && length > unpinnedBytes) return false;
    this.served.add(1);
    const chunks = segments.map((segment) =>
      segment instanceof Uint8Array ? segment : contents.subarray(segment.first, segment.last + 1),
    );
    const [only = contents] = chunks;
    if (length > unpinnedBytes) sendPinned(exchange, head, only, this.cache, entry, representation);
    else exchange.respond(head, first === undefined || chunks.length === 1 ? only : Buffer.concat(chunks));
    return true;
  }

  private async stream(
    context: RequestContext,
    entry: CacheEntry,
    index: number,
    response: FileResponse,
    attempt: number,
  ): Promise<void> {
    const representation = entry.representations[index];
    if (representation === undefined) return;
    let fd: number;
    try {
      fd = await openRepresentation(this.resources.disk, representation, attempt > 1);
    } catch (error) {
      return this.source.openFailed(context, entry, index, attempt, error);
    }
    this.cache.misses.add(1);
    const { resources } = this;
    const file = new ServedFile(context, fd, representation, resources, entry.isLocal);
    new RangeStream(context, response, file, resources.buffers).start();
  }
}
