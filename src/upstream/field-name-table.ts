import { connectionFields } from '../http/hop-by-hop.ts';
import { tokenLowerCase } from './byte-class.ts';

/** What the scanner does with a field of a response. */
export const FieldKind = {
  /** Copied into the block of the head. */
  keep: 0,
  /** Left out. */
  drop: 1,
  contentLength: 2,
  transferEncoding: 3,
  connection: 4,
  /** Kept, and noted: the response has an X-Request-Id of its own. */
  requestId: 5,
  /** Kept; `text/event-stream` is noted. */
  contentType: 6,
  /** Left out, and its value handed over: an instruction for the proxy. */
  directive: 7,
  upgrade: 8,
} as const;
export type FieldKind = (typeof FieldKind)[keyof typeof FieldKind];

/**
 * Fields that end here (RFC 9110 section 7.6.1), and those that the listener's engine writes itself. Whatever else begins
 * with `proxy-` is dropped too.
 */
const known: readonly (readonly [name: string, kind: FieldKind])[] = [
  ...connectionFields.map((name) => [name, FieldKind.drop] as const),
  ['content-length', FieldKind.contentLength],
  ['transfer-encoding', FieldKind.transferEncoding],
  ['connection', FieldKind.connection],
  ['upgrade', FieldKind.upgrade],
  ['x-request-id', FieldKind.requestId],
  ['content-type', FieldKind.contentType],
  ['date', FieldKind.drop],
];

interface Entry {
  readonly name: Uint8Array;
  readonly kind: FieldKind;
}

/** Looks field names up as bytes, without making a string of them. Made once a route. */
export class FieldNameTable {
  /** Entries by length of the name: most names of a message fail on their length alone. */
  private readonly byLength: Entry[][] = [];

  /**
   * @param removed    names in lower case that are left out besides the hop-by-hop ones
   * @param directives names in lower case whose values are handed over instead of passed on
   */
  constructor(removed: Iterable<string> = [], directives: Iterable<string> = []) {
    const kinds = new Map(known);
    for (const name of removed) {
      const kind = kinds.get(name);
      if (kind === undefined || isKept(kind)) kinds.set(name, FieldKind.drop);
    }
    for (const name of directives) kinds.set(name, FieldKind.directive);
    for (const [name, kind] of kinds) {
      const entries = (this.byLength[name.length] ??= []);
      entries.push({ name: Buffer.from(name, 'latin1'), kind });
    }
  }

  /** What to do with the field whose name lies at `start..end`; the bytes are known to be a token. */
  lookUp(bytes: Uint8Array, start: number, end: number): FieldKind {
    const entries = this.byLength[end - start];
    if (entries !== undefined) {
      for (const entry of entries) {
        if (equalIgnoringCase(bytes, start, entry.name)) return entry.kind;
      }
    }
    const first = tokenLowerCase[bytes[start] as number];
    return first === 0x70 && end - start > 6 && equalIgnoringCase(bytes, start, proxyPrefix)
      ? FieldKind.drop
      : FieldKind.keep;
  }
}

/** Whether fields of that kind are passed on. */
export function isKept(kind: FieldKind): boolean {
  return kind === FieldKind.keep || kind === FieldKind.requestId || kind === FieldKind.contentType;
}

const proxyPrefix = Buffer.from('proxy-', 'latin1');

/** Whether the bytes from `start` on are `expected` (lower case), in any case. */
export function equalIgnoringCase(bytes: Uint8Array, start: number, expected: Uint8Array): boolean {
  for (let index = 0; index < expected.length; index++) {
    if (tokenLowerCase[bytes[start + index] as number] !== expected[index]) return false;
  }
  return true;
}
