import { fieldLinesOf, readFieldLines, withoutFieldLines } from '../http/field-lines.ts';
import { ResponseHead } from '../response/response-head.ts';
import type { Divisible } from '../static/range-response.ts';
import type { CacheRules } from './cache-rules.ts';
import { type CacheOutcome, cacheStatusMember, xCacheWord } from './cache-status.ts';
import { ageMsOf, ageOf } from './policy/age.ts';
import { readResponseDirectives } from './policy/response-directives.ts';
import { allowsAuthorized } from './policy/storage.ts';
import type { StoredResponse } from './stored-response.ts';

/** What a route makes of the heads of stored responses. */
export interface HeadRules {
  readonly responseFields: Buffer;
  readonly removed: ReadonlySet<string>;
  readonly cacheStatus: string | undefined;
  readonly xCache: boolean;
  readonly rules: CacheRules;
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
export class EntryHeads {
  /** Milliseconds since 1970 up to which it may be used without asking anybody; 0 when it must be asked about each time. */
  readonly freshUntil: number;
  private readonly response: StoredResponse;
  private readonly heads: HeadRules;
  private readonly block: Buffer;
  private second = -1;
  private hit: ResponseHead | undefined;
  private authorized: boolean | undefined;

  constructor(response: StoredResponse, heads: HeadRules) {
    this.response = response;
    this.heads = heads;
    this.block = Buffer.concat([withoutFieldLines(response.block, heads.removed), heads.responseFields]);
    const { alwaysRevalidate, responseTime, initialAge, lifetime } = response;
    this.freshUntil = alwaysRevalidate ? 0 : responseTime - initialAge + lifetime;
  }

  /** Whether it may answer requests with Authorization. */
  get answersAuthorized(): boolean {
    return (this.authorized ??= allowsAuthorized(
      readResponseDirectives(readFieldLines(this.response.block), this.heads.rules.targeted),
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
    }
    return this.hit;
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
    const { response, heads, block } = this;
    const ttl = Math.floor((response.lifetime - ageMsOf(response, now)) / 1000);
    const lines = `\r\nAge: ${ageOf(response, now)}${EntryHeads.traceLines({ ...outcome, ttl }, heads)}`;
    const made = Buffer.allocUnsafe(block.length + lines.length);
    block.copy(made);
    made.write(lines, block.length, 'latin1');
    return new ResponseHead(response.status, made);
  }
}
