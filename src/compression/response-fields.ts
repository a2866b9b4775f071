import { ResponseHead } from '../response/response-head.ts';
import { codedTag } from './coded-tags.ts';
import type { Coding } from './coding.ts';

/** RFC 9111 section 5.2.2.6. */
const noTransform = /(?:^|[\s,])no-transform(?:$|[\s,=])/i;
/** Fields that say something of the bytes which are not sent any more (RFC 9530, RFC 9110 sections 8.6 and 14.3). */
const untrueWhenCoded = [
  'accept-ranges',
  'content-digest',
  'content-length',
  'content-md5',
  'digest',
  'repr-digest',
] as const;
const readNames = [
  'etag',
  'vary',
  'set-cookie',
  'content-type',
  'cache-control',
  'content-range',
  'content-encoding',
] as const;

type KnownName = (typeof untrueWhenCoded)[number] | (typeof readNames)[number];

/** By length: most names of a response are told from these by that alone. */
const namesByLength: readonly (readonly { readonly name: KnownName; readonly bytes: Uint8Array }[])[] = Array.from(
  { length: 17 },
  (_, length) =>
    [...untrueWhenCoded, ...readNames]
      .filter((name) => name.length === length)
      .map((name) => ({ name, bytes: Buffer.from(name, 'latin1') })),
);
const none: (typeof namesByLength)[number] = [];

const carriageReturn = 0x0d;
const colonByte = 0x3a;

/** A line that another head has differently: where it stands, from the line break before it on. */
interface ChangedLine {
  readonly name: 'etag' | 'vary' | 'untrue';
  readonly start: number;
  readonly end: number;
}

/**
 * The fields of a response that compression depends on, read in one pass over the bytes: each response that is compressed
 * pays for it, most of whose lines do not matter here and must cost nothing but being passed over.
 */
export class ResponseFields {
  contentType: string | undefined = undefined;
  etag: string | undefined = undefined;
  /** Whether it has a Content-Encoding. */
  coded = false;
  /** Whether it is a part of something. */
  partial = false;
  noTransform = false;
  setsCookie = false;
  /** Whether Vary names Accept-Encoding, or everything. */
  private varies = false;
  private readonly original: ResponseHead;
  private readonly text: string;
  private readonly changed: ChangedLine[] = [];

  constructor(head: ResponseHead) {
    const { block } = head;
    this.original = head;
    this.text = block.toString('latin1');
    // The status line has no name.
    let start = -1;
    let colon = -1;
    for (let position = 0; position < block.length; position++) {
      const byte = block[position] as number;
      if (byte === colonByte) {
        if (colon < 0) colon = position;
      } else if (byte === carriageReturn) {
        if (start >= 0) this.line(block, start, colon, position);
        start = position + 2;
        colon = -1;
      }
    }
    if (start >= 0) this.line(block, start, colon, block.length);
  }

  /** The head of the response as it is, but that it depends on Accept-Encoding. */
  varying(): ResponseHead {
    return this.varies ? this.original : this.rewritten(undefined, undefined);
  }

  /** As `varying`, with another entity tag. */
  withTag(etag: string): ResponseHead {
    return this.rewritten(etag, undefined);
  }

  /** The head of the compressed response. A strong entity tag gets a name of its own: see `codedTag`. */
  codedHead(coding: Coding): ResponseHead {
    return this.rewritten(undefined, coding);
  }

  private line(block: Buffer, start: number, colon: number, end: number): void {
    if (colon < 0) return;
    for (const { name, bytes } of namesByLength[colon - start] ?? none) {
      if (hasName(block, start, bytes)) return this.read(name, start, colon, end);
    }
  }

  private read(name: KnownName, start: number, colon: number, end: number): void {
    switch (name) {
      case 'etag':
        this.etag = this.value(colon, end);
        this.changed.push({ name, start: start - 2, end });
        break;
      case 'vary':
        this.varies ||= namesAcceptEncoding(this.value(colon, end));
        this.changed.push({ name, start: start - 2, end });
        break;
      case 'set-cookie':
        this.setsCookie = true;
        break;
      case 'content-type':
        this.contentType ??= this.value(colon, end);
        break;
      case 'cache-control':
        this.noTransform ||= noTransform.test(this.value(colon, end));
        break;
      case 'content-range':
        this.partial = true;
        break;
      case 'content-encoding':
        this.coded = true;
        break;
      default:
        this.changed.push({ name: 'untrue', start: start - 2, end });
    }
  }

  private value(colon: number, end: number): string {
    return this.text.slice(colon + 1, end).trim();
  }

  /**
   * The head with Accept-Encoding in its Vary, in the one that is there so that there is one list.
   * @param etag   in the place of its own
   * @param coding of a compressed response
   */
  private rewritten(etag: string | undefined, coding: Coding | undefined): ResponseHead {
    const { text, original } = this;
    let made = '';
    let from = 0;
    let varies = this.varies;
    for (const { name, start, end } of this.changed) {
      let line = '';
      if (name === 'etag') {
        if (etag !== undefined) line = `\r\nETag: ${etag}`;
        else if (coding !== undefined) line = `\r\nETag: ${codedTag(this.lineValue(start, end), coding)}`;
        else continue;
      } else if (name === 'vary') {
        if (varies) continue;
        varies = true;
        const value = this.lineValue(start, end);
        line = `\r\nVary: ${value === '' ? '' : `${value}, `}Accept-Encoding`;
      } else if (coding === undefined) {
        continue;
      }
      made += text.slice(from, start) + line;
      from = end;
    }
    made += text.slice(from);
    if (coding !== undefined) made += `\r\nContent-Encoding: ${coding}`;
    if (!varies) made += '\r\nVary: Accept-Encoding';
    return new ResponseHead(original.status, Buffer.from(made, 'latin1'));
  }

  private lineValue(start: number, end: number): string {
    return this.value(this.text.indexOf(':', start), end);
  }
}

/** @param name in lower case, as long as what stands there up to its colon; letters and hyphens only */
function hasName(block: Buffer, start: number, name: Uint8Array): boolean {
  for (let index = 0; index < name.length; index++) {
    if (((block[start + index] as number) | 0x20) !== name[index]) return false;
  }
  return true;
}

function namesAcceptEncoding(value: string): boolean {
  return value.split(',').some((name) => {
    const trimmed = name.trim().toLowerCase();
    return trimmed === '*' || trimmed === 'accept-encoding';
  });
}
