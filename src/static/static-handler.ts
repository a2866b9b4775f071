import { statSync } from 'node:fs';
import { basename } from 'node:path';
import type { RouteCompression } from '../compression/route-compression.ts';
import type { RouteAction } from '../config/config.ts';
import { preferredMediaType } from '../http/accept.ts';
import { encodePath } from '../http/uri-path.ts';
import type { Recorder } from '../metrics/recorder.ts';
import type { RequestContext } from '../request/request-context.ts';
import { respondError } from '../response/error-response.ts';
import { PorticoError } from '../response/portico-error.ts';
import { responseHead } from '../response/response-head.ts';
import type { Handler } from '../route/route.ts';
import { CacheControlPolicy } from './cache-control.ts';
import { CacheEntry } from './cache-entry.ts';
import { CompressedFile } from './compressed-file.ts';
import { identityIndex } from './content-coding.ts';
import type { ContentTypes } from './content-types.ts';
import { DirectoryListing } from './directory-listing.ts';
import { type Disk, meansAbsent, nodeDisk } from './disk.ts';
import { EntryLoader } from './entry-loader.ts';
import { FieldLines } from './field-lines.ts';
import type { CachePartition, FileCache } from './file-cache.ts';
import { glanceAtFile } from './file-glance.ts';
import { FileRenewal } from './file-renewal.ts';
import { FileResolver } from './file-resolver.ts';
import { FileResponder, type FileSource } from './file-responder.ts';
import { FileChangedError, readContents, readContentsNow } from './open-file.ts';
import { PendingLookup } from './pending-lookup.ts';
import type { ReadBufferPool } from './read-buffer-pool.ts';
import type { Representation } from './representation.ts';
import { streamResources } from './served-file.ts';

type StaticAction = Extract<RouteAction, { readonly kind: 'static' }>;

/** The action of a route as configured, and what else its responses depend on. */
export interface StaticHandlerConfig extends Omit<StaticAction, 'passThrough'> {
  /** The path of the route. */
  readonly prefix: string;
  readonly exact: boolean;
  /** `\r\nname: value` lines for every response. */
  readonly responseFields: Buffer;
  /** Names in lower case of fields that are left out. */
  readonly removedResponseFields: ReadonlySet<string>;
  /** Asked where there is no such file, and for every other method than GET and HEAD. */
  readonly passThrough: Handler | undefined;
  /** How files are compressed that have no compressed sibling; undefined or left out for not at all. */
  readonly compression?: RouteCompression | undefined;
}

/** Made once a worker; they live on over a reload. */
export interface StaticResources {
  readonly cache: FileCache;
  readonly buffers: ReadBufferPool;
  readonly types: ContentTypes;
  readonly recorder: Recorder;
  /** The real one unless a test says otherwise. */
  readonly disk?: Disk;
}

export function createStaticHandler(config: StaticHandlerConfig, resources: StaticResources): Handler {
  return new StaticHandler(config, resources);
}

/** Key of the fallback among the paths: no path has a NUL. */
const fallbackKey = '\0fallback';
/** How often a file may change between looking it up and opening it before the request fails. */
const maxAttempts = 4;
/** Up to this size contents are read with the event loop waiting: a copy of some microseconds. */
const maxReadNowBytes = 64 * 1024;
const allowLine = Buffer.from('\r\nAllow: GET, HEAD', 'latin1');
const nothing = Buffer.alloc(0);

class StaticHandler implements Handler, FileSource {
  private readonly config: StaticHandlerConfig;
  private readonly root: string;
  private readonly bare: string;
  private readonly rootIsFile: boolean;
  private readonly cache: FileCache;
  private readonly disk: Disk;
  private readonly partition: CachePartition;
  private readonly entries: ReadonlyMap<string, CacheEntry>;
  private readonly loader: EntryLoader;
  private readonly renewal: FileRenewal;
  private readonly responder: FileResponder;
  /** Shared by all requests, because an Error with its stack costs more than the whole answer. */
  private readonly notFound = new PorticoError('file_not_found', 'no such file');
  private readonly wrongMethod = new PorticoError('method_not_allowed', 'files answer GET and HEAD only');

  constructor(config: StaticHandlerConfig, { cache, buffers, types, recorder, disk = nodeDisk }: StaticResources) {
    this.config = config;
    this.root = config.root.replace(/\/+$/, '');
    this.bare = config.prefix.replace(/\/+$/, '');
    this.rootIsFile = config.exact && statSync(config.root, { throwIfNoEntry: false })?.isFile() === true;
    this.cache = cache;
    this.disk = disk;
    this.partition = cache.partition(identityOf(config, types));
    this.entries = this.partition.entries;
    const lines = new FieldLines(config.responseFields, config.removedResponseFields);
    const { index, listing, precompressed } = config;
    const resolver = new FileResolver({ root: this.root, index, listing, precompressed }, disk, cache.tempo);
    this.renewal = new FileRenewal(disk, cache.tempo, precompressed);
    this.loader = new EntryLoader({
      resolver,
      disk,
      tempo: cache.tempo,
      listing: new DirectoryListing(disk, resolver, lines),
      types,
      cacheControl: new CacheControlPolicy(config.cacheControl, config.immutable),
      lines,
      compression: config.compression,
      root: this.root,
    });
    const compressed = config.compression && new CompressedFile(config.compression, cache);
    this.responder = new FileResponder(
      cache,
      this,
      streamResources(disk, buffers, cache.streamTempo, recorder),
      compressed,
    );
  }

  /** Answers what is in memory and has not to be compared with the disk yet. */
  glance(context: RequestContext): boolean {
    const entry = this.entries.get(context.path);
    if (entry === undefined || !entry.isFile) return false;
    if (context.startedAt >= entry.expiresAt && !this.renew(entry, context.startedAt)) return false;
    if (!glanceAtFile(context.exchange, entry, this.cache)) return false;
    if (!entry.wasUsed) entry.wasUsed = true;
    return true;
  }

  handle(context: RequestContext): void {
    const { method } = context.exchange.head;
    if (method !== 'GET' && method !== 'HEAD') return this.answerOtherMethod(context);
    this.answerKey(context, context.path, context.startedAt, 0);
  }

  /** Goes on where a request waited for its path. */
  answer(context: RequestContext, entry: CacheEntry, attempt: number, fromDisk: boolean): void {
    if (entry.isFile) return this.responder.send(context, entry, attempt, fromDisk);
    const { outcome } = entry;
    switch (outcome.kind) {
      case 'redirect':
        // The client could not follow to where only the application may send it.
        if (context.origin !== undefined) return this.answerKey(context, `${entry.key}/`, performance.now(), 0);
        return this.redirectToFolder(context);
      case 'listing': {
        this.config.compression?.apply(context);
        const accept = context.exchange.head.fields.list('accept');
        const { head, body } =
          preferredMediaType(accept, ['text/html', 'application/json']) === 'text/html' ? outcome.html : outcome.json;
        return context.exchange.respond(head, body);
      }
      case 'failed':
        return respondError(context, unreadable(outcome.cause));
      case 'absent':
        return this.answerAbsent(context, entry, outcome.hidden);
    }
  }

  readContents(context: RequestContext, entry: CacheEntry, index: number, attempt: number): void {
    const { pending } = this.partition;
    const representation = entry.representations[index];
    if (representation === undefined) return;
    const key = `${entry.key}\0${index}`;
    const request = new PendingLookup(this, context, attempt, true);
    const others = pending.get(key);
    if (others !== undefined) {
      this.cache.endReading(representation, true);
      others.push(request);
      return;
    }
    pending.set(key, [request]);
    void this.loadContents(entry, index, key, representation, attempt);
  }

  openFailed(context: RequestContext, entry: CacheEntry, index: number, attempt: number, error: unknown): void {
    const changed = error instanceof FileChangedError || meansAbsent(error);
    this.cache.remove(entry);
    if (changed && attempt < maxAttempts) return this.lookUp(context, entry.key, undefined, attempt + 1);
    // A sibling that cannot be read is no reason to refuse the file.
    if (!changed && index !== identityIndex)
      return this.answer(context, this.withoutSibling(entry, index), attempt, false);
    respondError(context, unreadable(error));
  }

  private answerKey(context: RequestContext, key: string, now: number, attempt: number): void {
    const entry = this.entries.get(key);
    if (entry !== undefined && (now < entry.expiresAt || this.renew(entry, now))) {
      entry.wasUsed = true;
      this.answer(context, entry, attempt, false);
    } else this.lookUp(context, key, entry, attempt);
  }

  /** @returns whether a file is what it was, which was found out at once; false where that would take longer */
  private renew(entry: CacheEntry, now: number): boolean {
    return entry.bytes > 0 && this.renewal.renew(entry, now, this.cache.limits.revalidateMs);
  }

  private lookUp(context: RequestContext, key: string, former: CacheEntry | undefined, attempt: number): void {
    const { pending } = this.partition;
    const request = new PendingLookup(this, context, attempt, false);
    const others = pending.get(key);
    if (others !== undefined) {
      others.push(request);
      return;
    }
    pending.set(key, [request]);
    void this.load(key, former);
  }

  private async load(key: string, former: CacheEntry | undefined): Promise<void> {
    const { cache, partition } = this;
    const entry = await this.loader.load(partition, key, this.relative(key), former, cache.limits.revalidateMs);
    if (entry.outcome.kind === 'failed') {
      if (former !== undefined) cache.remove(former);
    } else if (entry !== former || entry.bytes === 0) cache.insert(entry);
    else entry.wasUsed = true;
    this.wake(key, entry);
  }

  private async loadContents(
    entry: CacheEntry,
    index: number,
    key: string,
    representation: Representation,
    attempt: number,
  ): Promise<void> {
    let failure: unknown;
    try {
      if (representation.contents === undefined) {
        const lenient = attempt > 1;
        representation.keep(
          this.readNow(entry, representation, lenient) ?? (await readContents(this.disk, representation, lenient)),
        );
        entry.contentsChanged();
      }
    } catch (error) {
      failure = error ?? new Error('reading failed');
    }
    this.cache.endReading(representation, failure === undefined);
    if (failure === undefined) {
      this.cache.measureAgain(entry);
      return this.wake(key, entry);
    }
    const requests = this.partition.pending.get(key) ?? [];
    this.partition.pending.delete(key);
    for (const request of requests) request.failed(entry, index, failure);
  }

  /** Small contents that are likely to be in the system's memory; undefined where they are not to be waited for. */
  private readNow(entry: CacheEntry, representation: Representation, lenient: boolean): Buffer | undefined {
    const { tempo } = this.cache;
    const begin = performance.now();
    if (!entry.isLocal || representation.size > maxReadNowBytes || !tempo.mayWait(begin)) return undefined;
    try {
      return readContentsNow(this.disk, representation, lenient);
    } finally {
      tempo.waited(begin, performance.now());
    }
  }

  private wake(key: string, entry: CacheEntry): void {
    const requests = this.partition.pending.get(key) ?? [];
    this.partition.pending.delete(key);
    for (const request of requests) request.loaded(entry);
  }

  private withoutSibling(entry: CacheEntry, index: number): CacheEntry {
    const { outcome } = entry;
    if (outcome.kind !== 'file') return entry;
    const representations = outcome.representations.with(index, undefined);
    const rest = new CacheEntry(entry.partition, entry.key, { ...outcome, representations }, entry.expiresAt, true);
    this.cache.insert(rest);
    return rest;
  }

  private answerAbsent(context: RequestContext, entry: CacheEntry, hidden: boolean): void {
    const { fallback, passThrough } = this.config;
    if (fallback !== undefined && !hidden && entry.key !== fallbackKey) {
      return this.answerKey(context, fallbackKey, performance.now(), 0);
    }
    if (passThrough !== undefined) return passThrough.handle(context);
    respondError(context, this.notFound);
  }

  private answerOtherMethod(context: RequestContext): void {
    const { passThrough } = this.config;
    if (passThrough !== undefined) return passThrough.handle(context);
    respondError(context, this.wrongMethod, allowLine);
  }

  /** To the path alone, so that whatever host and port the client sees stay as they are. */
  private redirectToFolder({ exchange, path }: RequestContext): void {
    const { query } = exchange.head;
    // Whatever could not stand in a field is escaped; escapes that are there stay.
    const search = query === undefined ? '' : `?${query.replace(/[^\x21-\x7e]/gu, encodeURIComponent)}`;
    const head = responseHead(301, [['Location', `${encodePath(path)}/${search}`]]);
    exchange.respond(head.with(this.config.responseFields), nothing);
  }

  /** What stands behind the prefix, with its slash. */
  private relative(key: string): string {
    const { exact, fallback } = this.config;
    if (key === fallbackKey) return `/${(fallback ?? '').replace(/^\/+/, '')}`;
    if (!exact) return key.slice(this.bare.length);
    if (this.rootIsFile) return '';
    return key.endsWith('/') ? '/' : `/${basename(key)}`;
  }
}

/** Everything that the entries of a handler depend on: handlers of which it is equal share them. */
function identityOf(config: StaticHandlerConfig, types: ContentTypes): string {
  const { passThrough: _, compression, responseFields, removedResponseFields, ...rest } = config;
  return JSON.stringify([
    rest,
    compression?.rules,
    responseFields.toString('latin1'),
    [...removedResponseFields],
    types.identity,
  ]);
}

function unreadable(cause: unknown): PorticoError {
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new PorticoError('file_unreadable', detail, { cause });
}
