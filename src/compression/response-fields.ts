import { ResponseHead } from '../response/response-head.ts';
import { codedTag } from './coded-tags.ts';
import type { Coding } from './coding.ts';

/** RFC 9111 section 5.2.2.6. */
const noTransform = /(?:^|[\s,])no-transform(?:$|[\s,=])/i;
/** Fields that say something of the bytes which are not sent any more (RFC 9530, RFC 9110 sections 8.6 and 14.3). */
const untrueWhenCoded = new Set([
  'accept-ranges',
  'content-digest',
  'content-length',
  'content-md5',
  'digest',
  'repr-digest',
]);

/** The fields of a response that compression depends on, read once. */
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
  private readonly status: number;
  private readonly lines: readonly string[];

  constructor({ status, block }: ResponseHead) {
    this.status = status;
    this.lines = block.toString('latin1').split('\r\n');
    for (let index = 1; index < this.lines.length; index++) this.read(this.lines[index] ?? '');
  }

  /** The head of the response as it is, but that it depends on Accept-Encoding. */
  varying(): ResponseHead {
    return this.varies ? this.head(this.lines) : this.head(this.withVary(this.lines));
  }

  /** As `varying`, with another entity tag. */
  withTag(etag: string): ResponseHead {
    const lines = this.lines.map((line) => (nameOf(line) === 'etag' ? `ETag: ${etag}` : line));
    return this.head(this.varies ? lines : this.withVary(lines));
  }

  /** The head of the compressed response. A strong entity tag gets a name of its own: see `codedTag`. */
  codedHead(coding: Coding): ResponseHead {
    const lines: string[] = [];
    for (const [index, line] of this.lines.entries()) {
      const name = index === 0 ? '' : nameOf(line);
      if (untrueWhenCoded.has(name)) continue;
      lines.push(name === 'etag' ? `ETag: ${codedTag(valueOf(line), coding)}` : line);
    }
    lines.push(`Content-Encoding: ${coding}`);
    return this.head(this.varies ? lines : this.withVary(lines));
  }

  private read(line: string): void {
    // Comparing the length first spares most names the conversion.
    switch (line.indexOf(':')) {
      case 4:
        if (nameOf(line) === 'etag') this.etag = valueOf(line);
        else if (nameOf(line) === 'vary') this.varies ||= namesAcceptEncoding(valueOf(line));
        break;
      case 10:
        if (nameOf(line) === 'set-cookie') this.setsCookie = true;
        break;
      case 12:
        if (nameOf(line) === 'content-type') this.contentType ??= valueOf(line);
        break;
      case 13:
        if (nameOf(line) === 'cache-control') this.noTransform ||= noTransform.test(valueOf(line));
        else if (nameOf(line) === 'content-range') this.partial = true;
        break;
      case 16:
        if (nameOf(line) === 'content-encoding') this.coded = true;
        break;
    }
  }

  /** Names it in the Vary there is, so that there is one list. */
  private withVary(lines: readonly string[]): string[] {
    const index = lines.findIndex((line, position) => position > 0 && nameOf(line) === 'vary');
    if (index < 0) return [...lines, 'Vary: Accept-Encoding'];
    const value = valueOf(lines[index] ?? '');
    return lines.with(index, `Vary: ${value === '' ? '' : `${value}, `}Accept-Encoding`);
  }

  private head(lines: readonly string[]): ResponseHead {
    return new ResponseHead(this.status, Buffer.from(lines.join('\r\n'), 'latin1'));
  }
}

function nameOf(line: string): string {
  return line.slice(0, Math.max(0, line.indexOf(':'))).toLowerCase();
}

function valueOf(line: string): string {
  return line.slice(line.indexOf(':') + 1).trim();
}

function namesAcceptEncoding(value: string): boolean {
  return value.split(',').some((name) => {
    const trimmed = name.trim().toLowerCase();
    return trimmed === '*' || trimmed === 'accept-encoding';
  });
}
