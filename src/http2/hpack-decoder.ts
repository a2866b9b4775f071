import { decodeHuffman } from './huffman.ts';
import { staticTable } from './static-table.ts';

/** A field of a table, with what a check of it said: it is made once, however often the field is used. */
export interface TableField {
  readonly name: string;
  readonly value: string;
  /** What is wrong with it; undefined when nothing is. */
  readonly fault: string | undefined;
}

/** Why a block cannot be decoded: the connection is lost then (RFC 7541), or the list is too large. */
export type DecodingFault = 'compression' | 'too-large';

/** Overhead of a field in the sizes of RFC 7541 section 4.1 and RFC 9113 section 10.5.1. */
const fieldOverhead = 32;

const fixed: readonly TableField[] = staticTable.map(([name, value]) => ({ name, value, fault: undefined }));

/** Decodes header blocks (RFC 7541). One for each direction of a connection, because it remembers what it has read. */
export class HpackDecoder {
  readonly #check: (name: string, value: string) => string | undefined;
  /** Most bytes of the table that the other side may use: what was announced to it. */
  readonly #limit: number;
  /** Newest last. */
  #table: TableField[] = [];
  #tableSize = 0;
  #maxSize: number;
  #position = 0;
  #scratch: Buffer = Buffer.allocUnsafeSlow(4096);
  #fault: DecodingFault | undefined;

  /**
   * @param limit bytes of table, as announced (4,096 unless announced otherwise)
   * @param check looks at each field that is new
   */
  constructor(limit: number, check: (name: string, value: string) => string | undefined) {
    this.#limit = this.#maxSize = limit;
    this.#check = check;
  }

  /**
   * Decodes a whole block. A list beyond the bound is decoded to its end all the same, because the table must not fall out of step.
   * @param take    called for each field
   * @param maxSize bytes of the list as RFC 9113 section 10.5.1 counts them
   */
  decode(bytes: Buffer, maxSize: number, take: (field: TableField) => void): DecodingFault | undefined {
    this.#position = 0;
    this.#fault = undefined;
    let size = 0;
    let begun = false;
    while (this.#position < bytes.length) {
      const first = bytes[this.#position] as number;
      if (first >= 0x20 && first < 0x40) {
        // RFC 7541 section 4.2: at the beginning of a block only.
        if (begun || !this.#resize(bytes)) return 'compression';
        continue;
      }
      begun = true;
      const field = first >= 0x80 ? this.#lookUp(this.#integer(bytes, 7)) : this.#literal(bytes, first);
      if (field === undefined || this.#fault !== undefined) return 'compression';
      size += field.name.length + field.value.length + fieldOverhead;
      if (size <= maxSize) take(field);
    }
    return size > maxSize ? 'too-large' : undefined;
  }

  #literal(bytes: Buffer, first: number): TableField | undefined {
    const indexed = first >= 0x40;
    const nameIndex = this.#integer(bytes, indexed ? 6 : 4);
    const name = nameIndex === 0 ? this.#string(bytes) : this.#lookUp(nameIndex)?.name;
    const value = this.#string(bytes);
    if (name === undefined || value === undefined || this.#fault !== undefined) return undefined;
    const field = { name, value, fault: this.#check(name, value) };
    if (indexed) this.#add(field);
    return field;
  }

  #lookUp(index: number): TableField | undefined {
    if (index <= fixed.length) return index < 1 ? undefined : fixed[index - 1];
    return this.#table[this.#table.length - (index - fixed.length)];
  }

  #add(field: TableField): void {
    const size = sizeOf(field);
    this.#evict(this.#maxSize - size);
    // RFC 7541 section 4.4: one larger than the table empties it, and is no fault.
    if (size > this.#maxSize) return;
    this.#table.push(field);
    this.#tableSize += size;
  }

  #evict(room: number): void {
    let gone = 0;
    while (this.#tableSize > Math.max(room, 0) && gone < this.#table.length) {
      this.#tableSize -= sizeOf(this.#table[gone++] as TableField);
    }
    if (gone > 0) this.#table = this.#table.slice(gone);
  }

  #resize(bytes: Buffer): boolean {
    const size = this.#integer(bytes, 5);
    if (this.#fault !== undefined || size > this.#limit) return false;
    this.#maxSize = size;
    this.#evict(size);
    return true;
  }

  /** An integer whose first byte has that many bits for it (RFC 7541 section 5.1). */
  #integer(bytes: Buffer, prefixBits: number): number {
    const mask = (1 << prefixBits) - 1;
    let value = (bytes[this.#position++] as number) & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = bytes[this.#position++];
      if (byte === undefined) break;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    this.#fault = 'compression';
    return 0;
  }

  #string(bytes: Buffer): string | undefined {
    const first = bytes[this.#position];
    if (first === undefined) return undefined;
    const length = this.#integer(bytes, 7);
    const start = this.#position;
    const end = start + length;
    if (this.#fault !== undefined || end > bytes.length) return undefined;
    this.#position = end;
    if (first < 0x80) return bytes.toString('latin1', start, end);
    // The shortest code has five bits.
    if (length * 2 > this.#scratch.length) this.#scratch = Buffer.allocUnsafeSlow(length * 2);
    const decoded = decodeHuffman(bytes, start, end, this.#scratch);
    return decoded === undefined ? undefined : this.#scratch.toString('latin1', 0, decoded);
  }
}

function sizeOf({ name, value }: TableField): number {
  return name.length + value.length + fieldOverhead;
}
