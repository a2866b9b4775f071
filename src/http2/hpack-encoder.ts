import { staticTable } from './static-table.ts';

/** Indices of the static table by name, and by name and value. */
const indexOfName = new Map<string, number>();
const indexOfField = new Map<string, number>();
for (const [index, [name, value]] of staticTable.entries()) {
  if (!indexOfName.has(name)) indexOfName.set(name, index + 1);
  if (value !== '') indexOfField.set(`${name}: ${value}`, index + 1);
}

/**
 * Writes header blocks (RFC 7541) that use the static table alone: what it writes means the same on every connection, so
 * that a response that is sent often is encoded once. Bodies are what responses are made of; their fields may be longer.
 */
export class HpackWriter {
  #bytes: Buffer = Buffer.allocUnsafeSlow(4096);
  #length = 0;

  clear(): void {
    this.#length = 0;
  }

  /** What was written, valid until the next `clear`. */
  view(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  status(status: number): void {
    const known = indexOfField.get(`:status: ${status}`);
    if (known !== undefined) {
      this.#ensure(1);
      this.#bytes[this.#length++] = 0x80 | known;
    } else {
      this.field(':status', String(status));
    }
  }

  /** @param name in lower case @param value Latin-1 */
  field(name: string, value: string): void {
    const index = indexOfName.get(name) ?? 0;
    this.#ensure(name.length + value.length + 16);
    // Without indexing (section 6.2.2).
    this.#integer(index, 4, 0);
    if (index === 0) this.#string(name);
    this.#string(value);
  }

  /** Bytes that were written before. */
  append(bytes: Uint8Array): void {
    this.#ensure(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #string(text: string): void {
    this.#integer(text.length, 7, 0);
    this.#length += this.#bytes.write(text, this.#length, 'latin1');
  }

  #integer(value: number, prefixBits: number, pattern: number): void {
    const mask = (1 << prefixBits) - 1;
    if (value < mask) {
      this.#bytes[this.#length++] = pattern | value;
      return;
    }
    this.#bytes[this.#length++] = pattern | mask;
    let rest = value - mask;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  #ensure(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}
