import { formatHttpDate } from '../http/date.ts';
import { ResponseHead } from '../response/response-head.ts';
import { siblingCodings } from './content-coding.ts';
import type { FieldLines } from './field-lines.ts';
import type { FileIdentity } from './file-identity.ts';

/** Contents up to this size are copied behind their head. */
const maxJoined = 16 * 1024;

/** What all representations of one resource have in common. */
export interface ResourceFields {
  readonly contentType: string;
  readonly cacheControl: string | undefined;
  /** Whether the response depends on Accept-Encoding. */
  readonly varies: boolean;
  readonly lines: FieldLines;
}

/** The answer with all of a file, and what it takes to see that a shorter one will do: nothing else is looked at for most requests. */
export class ReadyFile extends ResponseHead {
  /** Undefined where they are not in memory. */
  readonly contents: Buffer | undefined;
  readonly etag: string;
  readonly notModified: ResponseHead;

  constructor(
    block: Buffer,
    contents: Buffer | undefined,
    { etag, notModified }: { readonly etag: string; readonly notModified: ResponseHead },
  ) {
    super(200, block);
    this.contents = contents;
    this.etag = etag;
    this.notModified = notModified;
  }
}

/**
 * One file as it is sent: the file itself or a compressed sibling, with its response heads made in advance. The contents
 * come when they are first asked for, and stay for as long as the cache keeps the entry; those of large files only while they are asked for often.
 */
export class Representation {
  /** `200 OK` with all fields. */
  ok: ReadyFile;
  readonly etag: string;
  /** `304 Not Modified` with the fields that RFC 9110 section 15.4.5 asks for. */
  readonly notModified: ResponseHead;
  readonly size: number;
  /** Unix time in seconds. */
  readonly lastModified: number;
  /** Without links: what is opened. */
  readonly realPath: string;
  readonly identity: FileIdentity;
  /** Bytes of it that were to be streamed since `askedSince`, a time of `performance.now()`: see `HotFiles`. */
  askedBytes = 0;
  askedSince = 0;
  /** Responses to slow clients that still hold the contents, also after the cache has dropped them. */
  pins = 0;
  private readonly resource: ResourceFields;
  private readonly coding: string | undefined;
  /** Whether the contents were compressed here, so that no file has them. */
  private readonly made: boolean;

  /**
   * @param codingIndex as in `siblingCodings`; beyond them for the file itself
   * @param made the contents, when they were compressed here
   */
  constructor(
    file: { readonly realPath: string; readonly identity: FileIdentity },
    codingIndex: number,
    resource: ResourceFields,
    nowSeconds: number,
    made?: Buffer,
  ) {
    this.realPath = file.realPath;
    this.identity = file.identity;
    this.made = made !== undefined;
    this.size = made?.length ?? Number(file.identity.size);
    this.coding = siblingCodings[codingIndex]?.name;
    this.resource = resource;
    this.etag = makeEtag(file.identity, this.coding);
    // RFC 9110 section 8.8.2.1: never later than the response.
    this.lastModified = Math.floor(Math.min(Number(file.identity.mtimeNs / 1_000_000_000n), nowSeconds));
    const validators = this.resource.lines.serialize(this.validatorFields());
    this.notModified = exactHead(304, `304 Not Modified${validators}`);
    this.ok = new ReadyFile(this.head('200 OK', []).block, undefined, this);
    if (made !== undefined) this.keep(made);
  }

  /** What `keep` was given; undefined before. */
  get contents(): Buffer | undefined {
    return this.ok.contents;
  }

  /**
   * Takes the contents. Small ones go into one piece of memory with the head that is sent before them: of a hundred thousand
   * files each piece costs a request several accesses to memory that is in no cache.
   */
  keep(contents: Buffer): void {
    const { block } = this.ok;
    if (contents.length > maxJoined) {
      this.ok = new ReadyFile(block, contents, this);
      return;
    }
    const joined = Buffer.allocUnsafeSlow(block.length + contents.length);
    block.copy(joined);
    contents.copy(joined, block.length);
    this.ok = new ReadyFile(joined.subarray(0, block.length), joined.subarray(block.length), this);
  }

  /** Lets go of the contents. */
  drop(): void {
    this.ok = new ReadyFile(this.ok.block, undefined, this);
  }

  /**
   * A head of its own for a part of the contents.
   * @param contentType when it is not that of the file
   */
  head(status: string, extra: readonly (readonly [string, string])[], contentType?: string): ResponseHead {
    const fields = this.resource.lines.serialize([
      ['Content-Type', contentType ?? this.resource.contentType],
      ['Content-Encoding', this.coding],
      ...this.validatorFields(),
      ['Accept-Ranges', this.made ? undefined : 'bytes'],
      ...extra,
    ]);
    return exactHead(Number(status.slice(0, 3)), status + fields);
  }

  /** The same compressed, under an entity tag of its own as a sibling has. */
  codedForm(codingIndex: number, contents: Buffer): Representation {
    return new Representation(this, codingIndex, this.resource, this.lastModified, contents);
  }

  get contentType(): string {
    return this.resource.contentType;
  }

  /** Memory that it takes besides its contents, roughly. */
  get overheadBytes(): number {
    return 1024 + this.ok.block.length + this.notModified.block.length + 2 * this.realPath.length;
  }

  private validatorFields(): (readonly [string, string | undefined])[] {
    const { cacheControl, varies } = this.resource;
    return [
      ['Last-Modified', formatHttpDate(this.lastModified)],
      ['ETag', this.etag],
      ['Cache-Control', cacheControl],
      ['Vary', varies ? 'Accept-Encoding' : undefined],
    ];
  }
}

/**
 * Strong: size and time of the last change in nanoseconds, so that two edits in one second differ. No inode number, which
 * would make copies of one file on several machines differ. A compressed sibling has the name of its coding in it.
 */
function makeEtag({ size, mtimeNs }: FileIdentity, coding: string | undefined): string {
  return `"${size.toString(36)}-${mtimeNs.toString(36)}${coding === undefined ? '' : `-${coding}`}"`;
}

/** In memory of its own: a slice of Node's shared pool would keep eight kilobytes alive. */
function exactHead(status: number, text: string): ResponseHead {
  const block = Buffer.allocUnsafeSlow(text.length);
  block.write(text, 'latin1');
  return new ResponseHead(status, block);
}
