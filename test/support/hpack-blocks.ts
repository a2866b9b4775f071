import { codeLengths } from '../../src/http2/huffman.ts';
import { staticTable } from '../../src/http2/static-table.ts';

/** How a field is written (RFC 7541 section 6): by its index where it has one, or as a literal of one of three kinds. */
export type Representation = 'indexed' | 'incremental' | 'plain' | 'never';

const tableBytes = 4096;
const codes = huffmanCodes();

/** Writes header blocks in all the ways that there are, with Huffman and with a table that both sides remember. */
export class HpackBlocks {
  #table: (readonly [name: string, value: string])[] = [];
  #maxBytes = tableBytes;

  /** A change of the table's size, which may stand in front of a block. */
  resize(bytes: number): Buffer {
    this.#maxBytes = bytes;
    this.#evict();
    return integer(bytes, 5, 0x20);
  }

  field(name: string, value: string, how: Representation, huffman: boolean): Buffer {
    const entries = [...staticTable, ...this.#table];
    const whole = entries.findIndex((entry) => entry[0] === name && entry[1] === value) + 1;
    if (how === 'indexed' && whole > 0) return integer(whole, 7, 0x80);
    const index = entries.findIndex(([known]) => known === name) + 1;
    const [bits, pattern] = how === 'never' ? [4, 0x10] : how === 'plain' ? [4, 0] : [6, 0x40];
    const front = integer(index, bits, pattern);
    if (bits === 6) {
      this.#table.unshift([name, value]);
      this.#evict();
    }
    return Buffer.concat([front, index > 0 ? Buffer.alloc(0) : string(name, huffman), string(value, huffman)]);
  }

  #evict(): void {
    let size = 0;
    const kept = this.#table.findIndex(([name, value]) => {
      size += name.length + value.length + 32;
      return size > this.#maxBytes;
    });
    if (kept >= 0) this.#table = this.#table.slice(0, kept);
  }
}

function string(text: string, huffman: boolean): Buffer {
  const bytes = huffman ? encodeHuffman(text) : Buffer.from(text, 'latin1');
  return Buffer.concat([integer(bytes.length, 7, huffman ? 0x80 : 0), bytes]);
}

/** RFC 7541 section 5.1. */
function integer(value: number, prefixBits: number, pattern: number): Buffer {
  const mask = (1 << prefixBits) - 1;
  if (value < mask) return Buffer.from([pattern | value]);
  const bytes = [pattern | mask];
  let rest = value - mask;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** Text of Latin-1 in the code of RFC 7541 appendix B, padded with ones. */
export function encodeHuffman(text: string): Buffer {
  let bits = '';
  for (const byte of Buffer.from(text, 'latin1')) bits += codes[byte];
  const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, '1');
  return Buffer.from((padded.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

/** The codes of all bytes and of the end, as digits: canonical, in the order of their lengths and then of the symbols. */
export function huffmanCodes(): readonly string[] {
  const symbols = codeLengths.map((length, symbol) => ({ length, symbol }));
  symbols.sort((one, other) => one.length - other.length || one.symbol - other.symbol);
  const found: string[] = [];
  let next = 0;
  let former = 0;
  for (const { length, symbol } of symbols) {
    next *= 2 ** (length - former);
    former = length;
    found[symbol] = next.toString(2).padStart(length, '0');
    next++;
  }
  return found;
}
