/*
 * The part of DER (X.690) that certificate requests and small certificates need, written.
 */

const tags = { boolean: 0x01, integer: 0x02, bitString: 0x03, octetString: 0x04, null: 0x05, oid: 0x06 } as const;
const textTags = { utf8: 0x0c, generalizedTime: 0x18 } as const;
const sequenceTag = 0x30;
const setTag = 0x31;
const contextClass = 0x80;
const constructed = 0x20;

/** A value with its tag and length. */
export function element(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content]);
}

export function sequence(...contents: readonly Buffer[]): Buffer {
  return element(sequenceTag, ...contents);
}

export function set(...contents: readonly Buffer[]): Buffer {
  return element(setTag, ...contents);
}

/** `[number]` around something (explicit). */
export function tagged(number: number, ...contents: readonly Buffer[]): Buffer {
  return element(contextClass | constructed | number, ...contents);
}

/** `[number]` in the place of the tag of text or bytes (implicit). */
export function implicit(number: number, content: Buffer): Buffer {
  return element(contextClass | number, content);
}

/** @param bytes big-endian, without sign */
export function unsignedInteger(bytes: Buffer): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const digits = bytes.subarray(start);
  const isNegative = (digits[0] ?? 0) >= 0x80;
  return element(tags.integer, ...(isNegative ? [Buffer.from([0])] : []), digits);
}

/** @param dotted `1.2.840.10045.4.3.2` */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...others] = dotted.split('.').map(Number);
  return element(tags.oid, Buffer.from([first * 40 + second, ...others.flatMap(base128)]));
}

export function octetString(content: Buffer): Buffer {
  return element(tags.octetString, content);
}

/** Whole bytes only. */
export function bitString(content: Buffer): Buffer {
  return element(tags.bitString, Buffer.from([0]), content);
}

export function boolean(value: boolean): Buffer {
  return element(tags.boolean, Buffer.from([value ? 0xff : 0]));
}

export function nullValue(): Buffer {
  return element(tags.null);
}

export function utf8Text(text: string): Buffer {
  return element(textTags.utf8, Buffer.from(text));
}

/** @param time milliseconds since 1970; whole seconds are written */
export function generalizedTime(time: number): Buffer {
  const text = new Date(time).toISOString().replace(/[-:T]|\.\d+/g, '');
  return element(textTags.generalizedTime, Buffer.from(text, 'latin1'));
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

/** Seven bits a byte, all but the last with the eighth bit set. */
function base128(value: number): number[] {
  const bytes = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift((rest % 128) | 0x80);
  return bytes;
}
