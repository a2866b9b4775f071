import { staticTable } from '../../../src/http2/static-table.ts';
import { huffmanCodes } from '../../support/hpack-blocks.ts';

/** A field as a block says it. */
export type ReferenceField = readonly [name: string, value: string];

const symbols = new Map(huffmanCodes().map((code, symbol) => [code, symbol]));
const endOfString = 256;
const tableBytes = 4096;

/** Why a block cannot be read. */
class Unreadable extends Error {}

/** Decodes header blocks as RFC 7541 says it, digit by digit: slow, and nothing of it is shared with Portico's own. */
export class ReferenceHpack {
  #table: ReferenceField[] = [];
  #maxBytes = tableBytes;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;

  /** @returns the fields, or undefined when it is no header block */
  decode(block: Buffer): ReferenceField[] | undefined {
    this.#bytes = block;
    this.#at = 0;
    const fields: ReferenceField[] = [];
    try {
      while (this.#at < block.length) {
        const first = block[this.#at] as number;
        if (first >> 5 === 1) this.#resize(fields.length);
        else fields.push(this.#field(first));
      }
    } catch (error) {
      if (error instanceof Unreadable) return undefined;
      throw error;
    }
    return fields;
  }

  #resize(fieldsBefore: number): void {
    const size = this.#integer(5);
    if (fieldsBefore > 0 || size > tableBytes) throw new Unreadable();
    this.#maxBytes = size;
    this.#evict();
  }

  #field(first: number): ReferenceField {
    if (first >> 7 === 1) return this.#entry(this.#integer(7));
    const remembered = first >> 6 === 1;
    const index = this.#integer(remembered ? 6 : 4);
    const name = index === 0 ? this.#string() : this.#entry(index)[0];
    const field = [name, this.#string()] as const;
    if (remembered) {
      this.#table.unshift(field);
      this.#evict();
    }
    return field;
  }

  #entry(index: number): ReferenceField {
    const field = [...staticTable, ...this.#table][index - 1];
    if (field === undefined) throw new Unreadable();
    return field;
  }

  #evict(): void {
    const size = (): number => this.#table.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0);
    while (size() > this.#maxBytes) this.#table.pop();
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new Unreadable();
    return byte;
  }

  #integer(bits: number): number {
    const most = 2 ** bits - 1;
    const start = this.#byte() % 2 ** bits;
    if (start < most) return start;
    let value = start;
    // Four bytes more are enough for everything that may be said here.
    for (let place = 0; place < 4; place++) {
      const byte = this.#byte();
      value += (byte % 128) * 128 ** place;
      if (byte < 128) return value;
    }
    throw new Unreadable();
  }

  #string(): string {
    const huffman = (this.#bytes[this.#at] ?? 0) >> 7 === 1;
    const length = this.#integer(7);
    const bytes = this.#bytes.subarray(this.#at, this.#at + length);
    if (bytes.length < length) throw new Unreadable();
    this.#at += length;
    return huffman ? readHuffman(bytes) : bytes.toString('latin1');
  }
}

function readHuffman(bytes: Buffer): string {
  let text = '';
  let code = '';
  for (const byte of bytes) {
    for (const digit of byte.toString(2).padStart(8, '0')) {
      code += digit;
      const symbol = symbols.get(code);
      if (symbol === undefined) continue;
      if (symbol === endOfString) throw new Unreadable();
      text += String.fromCharCode(symbol);
      code = '';
    }
  }
  if (code.length > 7 || code.includes('0')) throw new Unreadable();
  return text;
}
