import { type KeptAnswer, KeptResponse } from '../compression/kept-response.ts';
import type { RouteCompression } from '../compression/route-compression.ts';
import { fieldLinesOf, readFieldLines, withoutFieldLines } from '../http/field-lines.ts';
import type { RequestHead } from '../request/request-head.ts';
import { ResponseHead } from '../response/response-head.ts';
import type { Divisible } from '../static/range-response.ts';
import type { CacheRules } from './cache-rules.ts';
import { type CacheOutcome, cacheStatusMember, xCacheWord } from './cache-status.ts';
import { ageMsOf, ageOf } from './policy/age.ts';
import { readResponseDirectives } from './policy/response-directives.ts';
import { allowsAuthorized } from './policy/storage.ts';
import type { PreparedResponse } from './response-store.ts';
import type { StoredResponse } from './stored-response.ts';

/** What a route makes of the heads of stored responses. */
export interface HeadRules {
  readonly responseFields: Buffer;
  readonly removed: ReadonlySet<string>;
  readonly cacheStatus: string | undefined;
  readonly xCache: boolean;
  readonly rules: CacheRules;
  readonly compression: RouteCompression | undefined;
}

/** Fields that describe a body, which a 304 does not have (RFC 9110 section 15.4.5). */
const bodyFields: ReadonlySet<string> = new Set([
  'content-type',
  'content-encoding',
  'content-language',
  'content-length',
  'content-range',
]);
const partType: ReadonlySet<string> = new Set(['content-type']);

/**
 * The heads with which a route answers from one stored response, made in advance: the lines that stay once, those that grow
 * older (Age, the rest of the lifetime) once a second.
 */
export class EntryHeads implements PreparedResponse {
  /** The rules of the route. */
  readonly owner: HeadRules;
  /** Milliseconds since 1970 up to which it may be used without asking anybody; 0 when it must be asked about each time. */
  readonly freshUntil: number;
  private readonly response: StoredResponse;
  private readonly block: Buffer;
  private second = -1;
  private hit: ResponseHead | undefined;
  /** 304 for the head of this second. */
  private unchanged: ResponseHead | undefined;
  private kept: KeptResponse | undefined;
  private authorized: boolean | undefined;

  constructor(response: StoredResponse, heads: HeadRules) {
    this.response = response;
    this.owner = heads;
    this.block = Buffer.concat([withoutFieldLines(response.block, heads.removed), heads.responseFields]);
    const { alwaysRevalidate, responseTime, initialAge, lifetime } = response;
    this.freshUntil = alwaysRevalidate ? 0 : responseTime - initialAge + lifetime;
  }

  /** Whether it may answer requests with Authorization. */
  get answersAuthorized(): boolean {
    return (this.authorized ??= allowsAuthorized(
      readResponseDirectives(readFieldLines(this.response.block), this.owner.rules.targeted),
    ));
  }

  /**
   * The head for the whole response.
   * @param outcome undefined for a hit
   */
  whole(now: number, outcome: CacheOutcome | undefined): ResponseHead {
    if (outcome !== undefined) return this.make(now, outcome);
    const second = Math.floor(now / 1000);
    if (this.hit === undefined || second !== this.second) {
      this.second = second;
      this.hit = this.make(now, { hit: true });
      this.unchanged = undefined;
    }
    return this.hit;
  }

  /**
   * What answers a request for which the response is a hit, with its body.
   * @returns undefined when that takes an exchange that compresses
   */
  answer(request: RequestHead, now: number, body: Buffer): KeptAnswer | undefined {
    const head = this.whole(now, undefined);
    const { compression } = this.owner;
    if (compression === undefined) return { head, body, coding: undefined };
    return (this.kept ??= new KeptResponse(compression, head, body)).answer(request, head);
  }

  /** 304 for a client that names exactly what it would get; otherwise undefined. @param known its If-None-Match */
  unchangedSince(request: RequestHead, known: string, now: number, body: Buffer | undefined): ResponseHead | undefined {
    const { etag, status } = this.response;
    if (etag === undefined || status < 200 || status > 299) return undefined;
    const { compression } = this.owner;
    if (compression === undefined ? known !== etag : body === undefined) return undefined;
    const head = this.whole(now, undefined);
    this.unchanged ??= this.notModified(now, undefined);
    if (compression === undefined || body === undefined) return this.unchanged;
    this.kept ??= new KeptResponse(compression, head, body);
    return this.kept.notModified(request, known, etag, this.unchanged);
  }

  /** 304 with the fields that a 200 would have. */
  notModified(now: number, outcome: CacheOutcome | undefined): ResponseHead {
    const lines = fieldLinesOf(this.whole(now, outcome).block, bodyFields);
    return new ResponseHead(304, Buffer.concat([Buffer.from('304 Not Modified', 'latin1'), lines]));
  }

  /** The same as parts are cut from it. @param whole its head */
  partial(size: number, whole: ResponseHead): Divisible {
    const contentType = readFieldLines(this.response.block).get('content-type') ?? 'application/octet-stream';
    return {
      size,
      contentType,
      head: (status, extra, type) => {
        const lines = type === undefined ? fieldLinesOf(whole.block, new Set()) : fieldLinesOf(whole.block, partType);
        const more = [...extra, ...(type === undefined ? [] : [['Content-Type', type] as const])];
        const text = more.map(([name, value]) => `\r\n${name}: ${value}`).join('');
        const block = Buffer.concat([Buffer.from(status, 'latin1'), lines, Buffer.from(text, 'latin1')]);
        return new ResponseHead(Number(status.slice(0, 3)), block);
      },
    };
  }

  /** Cache-Status and X-Cache, as far as the route sends them. */
  static traceLines(outcome: CacheOutcome, { cacheStatus, xCache }: Pick<HeadRules, 'cacheStatus' | 'xCache'>): string {
    let lines = cacheStatus === undefined ? '' : `\r\nCache-Status: ${cacheStatusMember(cacheStatus, outcome)}`;
    if (xCache) lines += `\r\nX-Cache: ${xCacheWord(outcome)}`;
    return lines;
  }

  private make(now: number, outcome: CacheOutcome): ResponseHead {
    const { response, owner: heads, block } = this;
    const ttl = Math.floor((response.lifetime - ageMsOf(response, now)) / 1000);
    const lines = `\r\nAge: ${ageOf(response, now)}${EntryHeads.traceLines({ ...outcome, ttl }, heads)}`;
    const made = Buffer.allocUnsafe(block.length + lines.length);
    block.copy(made);
    made.write(lines, block.length, 'latin1');
    return new ResponseHead(response.status, made);
  }
}
