import { type Coding, streams } from '../compression/coding.ts';
import type { RouteCompression } from '../compression/route-compression.ts';
import { evaluatePreconditions } from '../http/conditional.ts';
import type { RequestContext } from '../request/request-context.ts';
import type { CacheEntry } from './cache-entry.ts';
import { identityIndex } from './content-coding.ts';
import type { FileCache } from './file-cache.ts';
import { sendPinned } from './pinned-send.ts';
import type { Representation } from './representation.ts';
import type { RequestConditions } from './request-conditions.ts';

/** Up to this size a body is given away whole, as `FileResponder` does. */
const unpinnedBytes = 64 * 1024;
/** A file up to this size is compressed while it is sent until its form is made; a larger one goes out as it is. */
const streamedMeanwhileBytes = 32 * 1024;

/** Sends files in forms that were compressed here, where there is no sibling to send. */
export class CompressedFile {
  private readonly compression: RouteCompression;
  private readonly cache: FileCache;

  constructor(compression: RouteCompression, cache: FileCache) {
    this.compression = compression;
    this.cache = cache;
  }

  /**
   * Answers from a form that is there, or has one made.
   * @returns whether the request was answered; otherwise the file itself is to be sent, to `context.exchange`, which may
   *   be another one now that compresses
   */
  answer(context: RequestContext, entry: CacheEntry, conditions: RequestConditions): boolean {
    const { made } = entry;
    const identity = entry.representations[identityIndex];
    const { compression } = this;
    if (made === undefined || identity === undefined) return false;
    const { best, all } = compression.storedChooser.choose(conditions.acceptEncoding);
    const coding = best === undefined ? undefined : made.choose(all);
    if (coding === undefined || this.isRefused(context, conditions)) return false;
    const form = made.of(coding);
    if (form !== undefined) {
      return this.send(context, entry, form, identity, conditions, coding);
    }
    if (this.isCompressedOnTheWay(entry, identity, coding)) {
      compression.apply(context, streams(coding) ? coding : undefined);
    }
    return false;
  }

  private isRefused(context: RequestContext, { range }: RequestConditions): boolean {
    const { metrics } = this.compression.resources;
    // A part is one of the file itself.
    if (range !== undefined && context.exchange.head.method === 'GET') metrics.skipped('range');
    else if (this.compression.refusesCookiesOf(context)) metrics.skipped('cookies');
    else return false;
    return true;
  }

  /** Whether the file is compressed for this request alone: a small one while its form is made, or one too large for that. */
  private isCompressedOnTheWay(entry: CacheEntry, { size, contents }: Representation, coding: Coding): boolean {
    const { cache, compression } = this;
    const { forms, metrics } = compression.resources;
    if (!forms.makes(coding, size) || size > cache.limits.maxFileBytes) return true;
    // Read first: then this is asked again.
    if (contents === undefined) return size <= streamedMeanwhileBytes;
    if (entry.made?.request(entry, coding, cache, compression) === true) return size <= streamedMeanwhileBytes;
    metrics.skipped('busy');
    return false;
  }

  private send(
    context: RequestContext,
    entry: CacheEntry,
    form: Representation,
    identity: Representation,
    conditions: RequestConditions,
    coding: Coding,
  ): boolean {
    const { exchange } = context;
    if (conditions.conditional) {
      const nowSeconds = Date.now() / 1000;
      // The client may have the file itself, too, from before there was the form.
      const forms = [form, identity];
      const results = forms.map((one) => evaluatePreconditions(conditions, one, nowSeconds));
      const unchanged = forms[results.indexOf('not-modified')];
      if (unchanged !== undefined) {
        this.cache.hits.add(1);
        exchange.respondHead(unchanged.notModified, undefined);
        return true;
      }
      // The file's own answer is the same.
      if (!results.includes('proceed')) return false;
    }
    this.cache.hits.add(1);
    context.coding = coding;
    const { contents, ok, size } = form;
    if (exchange.head.method === 'HEAD' || contents === undefined) {
      exchange.respondHead(ok, size);
      return true;
    }
    this.compression.resources.metrics.compressed(coding, 'stored', identity.size, size);
    if (size > unpinnedBytes) sendPinned(exchange, ok, contents, this.cache, entry, form);
    else exchange.respond(ok, contents);
    return true;
  }
}
