/*
 * The part of DER (X.690) that certificates and responses about them are made of, read. What comes from the network is
 * checked: a length that does not fit is an error, never a guess.
 */

/** Bytes that are no DER, or not the DER that was expected. */
export class DerError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DerError';
  }
}

/** A value with its tag. */
export interface DerValue {
  readonly tag: number;
  readonly content: Buffer;
  /** With its tag and length, as it stands in what was read. */
  readonly raw: Buffer;
}

export const derTags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  enumerated: 0x0a,
  generalizedTime: 0x18,
  sequence: 0x30,
} as const;
const longestLengthBytes = 4;

/** `[number]` around something. */
export function contextTag(number: number): number {
  return 0xa0 | number;
}

/** `[number]` in the place of the tag of something that has no parts. */
export function implicitTag(number: number): number {
  return 0x80 | number;
}

/** The only value in those bytes. @throws DerError */
export function readDer(bytes: Buffer, tag?: number): DerValue {
  const [value, ...others] = readValues(bytes);
  if (value === undefined || others.length > 0) throw new DerError('not one value');
  return expectTag(value, tag);
}

/** The parts of a value. @throws DerError when it has another tag, or its content is no DER */
export function partsOf(value: DerValue | undefined, tag: number = derTags.sequence): DerValue[] {
  return readValues(expectTag(value, tag).content);
}

/** The content of a value. @throws DerError when there is none, or with another tag */
export function contentOf(value: DerValue | undefined, tag: number): Buffer {
  return expectTag(value, tag).content;
}

/** The bytes of a bit string of whole bytes. @throws DerError */
export function bitsOf(value: DerValue | undefined): Buffer {
  const content = contentOf(value, derTags.bitString);
  if (content[0] !== 0) throw new DerError('a bit string that is not of whole bytes');
  return content.subarray(1);
}

/** As `1.2.840.10045.4.3.2`. @throws DerError */
export function identifierOf(value: DerValue | undefined): string {
  const content = contentOf(value, derTags.oid);
  const numbers: number[] = [];
  let number = 0;
  for (const byte of content) {
    number = number * 128 + (byte & 0x7f);
    if (!Number.isSafeInteger(number)) throw new DerError('an object identifier with a number that is too large');
    if (byte >= 0x80) continue;
    numbers.push(number);
    number = 0;
  }
  const [first, ...rest] = numbers;
  if (first === undefined || (content.at(-1) ?? 0) >= 0x80) throw new DerError('an object identifier that is cut off');
  const root = Math.min(Math.floor(first / 40), 2);
  return [root, first - root * 40, ...rest].join('.');
}

/** Milliseconds since 1970 (RFC 5280 section 4.1.2.5.2: in GMT, with seconds). @throws DerError */
export function generalizedTimeOf(value: DerValue | undefined): number {
  const text = contentOf(value, derTags.generalizedTime).toString('latin1');
  const [, ...digits] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.\d+)?Z$/.exec(text) ?? [];
  const [year, month, day, hour, minute, second] = digits;
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(time)) throw new DerError('a time that is none');
  return time;
}

function expectTag(value: DerValue | undefined, tag: number | undefined): DerValue {
  if (value === undefined) throw new DerError('a value is missing');
  if (tag !== undefined && value.tag !== tag) {
    throw new DerError(`a value with the tag 0x${value.tag.toString(16)} in the place of 0x${tag.toString(16)}`);
  }
  return value;
}

function readValues(bytes: Buffer): DerValue[] {
  const values: DerValue[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] ?? 0;
    if ((tag & 0x1f) === 0x1f) throw new DerError('a tag of several bytes');
    const { length, start } = lengthAt(bytes, at + 1);
    if (start + length > bytes.length) throw new DerError('a value that is cut off');
    values.push({ tag, content: bytes.subarray(start, start + length), raw: bytes.subarray(at, start + length) });
    at = start + length;
  }
  return values;
}

function lengthAt(bytes: Buffer, at: number): { length: number; start: number } {
  const first = bytes[at];
  if (first === undefined) throw new DerError('a length is missing');
  if (first < 0x80) return { length: first, start: at + 1 };
  const count = first & 0x7f;
  if (count === 0 || count > longestLengthBytes || at + 1 + count > bytes.length) throw new DerError('a wrong length');
  return { length: bytes.readUIntBE(at + 1, count), start: at + 1 + count };
}
