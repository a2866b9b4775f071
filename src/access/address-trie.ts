import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** IPv6 addresses remembered with what was found: their parser is slow. */
const maxRemembered = 1024;
const fanOut = 256;

/**
 * Values by address range; of several ranges that an address is in the narrowest counts. A trie over the bytes of
 * addresses: as many steps as the address has bytes, however many ranges there are.
 */
export class AddressTrie {
  readonly #v4 = new ByteTrie();
  readonly #v6 = new ByteTrie();
  readonly #remembered = new Map<string, number>();
  readonly #bytes: number[] = [0, 0, 0, 0];

  /**
   * @param ranges addresses and CIDR ranges, each with its value from 1 to 127
   * @throws Error that names what is no range
   */
  constructor(ranges: Iterable<readonly [range: string, value: number]>) {
    const parsed = [...ranges].map(([range, value]) => ({ ...parseRange(range), value }));
    // A narrower range overwrites a part of a wider one, so it comes later.
    for (const { bytes, bits, value } of parsed.toSorted((one, other) => one.bits - other.bits)) {
      (bytes.length === 4 ? this.#v4 : this.#v6).add(bytes, bits, value);
    }
  }

  /** @returns the value, 0 when no range has the address, undefined when it is no address */
  find(address: string): number | undefined {
    const bytes = this.#bytes;
    if (readIPv4(address, bytes)) return this.#v4.find(bytes);
    const remembered = this.#remembered.get(address);
    if (remembered !== undefined) return remembered;
    if (isIP(address) === 0) return undefined;
    const parsed = ipaddr.process(address).toByteArray();
    const value = (parsed.length === 4 ? this.#v4 : this.#v6).find(parsed);
    if (this.#remembered.size >= maxRemembered) this.#remembered.clear();
    this.#remembered.set(address, value);
    return value;
  }
}

/** One entry a byte in each node: the number of the node for the next byte, and the value so far in the lower 7 bits. */
class ByteTrie {
  readonly #nodes: Int32Array[] = [new Int32Array(fanOut)];
  /** Of the range of all addresses. */
  #everywhere = 0;

  add(bytes: readonly number[], bits: number, value: number): void {
    if (bits === 0) {
      this.#everywhere = value;
      return;
    }
    const last = (bits - 1) >> 3;
    let node = this.#nodes[0] as Int32Array;
    for (let index = 0; index < last; index++) node = this.#below(node, bytes[index] as number);
    const span = 1 << (8 * (last + 1) - bits);
    const first = (bytes[last] as number) & ~(span - 1);
    for (let entry = first; entry < first + span; entry++) node[entry] = ((node[entry] as number) & ~0x7f) | value;
  }

  find(bytes: readonly number[]): number {
    let value = this.#everywhere;
    let node = this.#nodes[0] as Int32Array;
    for (let index = 0; index < bytes.length; index++) {
      const entry = node[bytes[index] as number] as number;
      if ((entry & 0x7f) !== 0) value = entry & 0x7f;
      if (entry >> 7 === 0) return value;
      node = this.#nodes[entry >> 7] as Int32Array;
    }
    return value;
  }

  #below(node: Int32Array, byte: number): Int32Array {
    const entry = node[byte] as number;
    if (entry >> 7 !== 0) return this.#nodes[entry >> 7] as Int32Array;
    const below = new Int32Array(fanOut);
    node[byte] = (this.#nodes.push(below) - 1) * 128 + entry;
    return below;
  }
}

/** Reads `a.b.c.d` in decimal without leading zeros; false for anything else. */
function readIPv4(text: string, bytes: number[]): boolean {
  let at = 0;
  let value = -1;
  for (let index = 0; index <= text.length; index++) {
    const code = index === text.length ? 0x2e : text.charCodeAt(index);
    if (code === 0x2e) {
      if (value < 0 || at === 4) return false;
      bytes[at++] = value;
      value = -1;
    } else {
      const digit = code - 0x30;
      if (digit < 0 || digit > 9 || value === 0) return false;
      value = value < 0 ? digit : value * 10 + digit;
      if (value > 255) return false;
    }
  }
  return at === 4;
}

function parseRange(range: string): { readonly bytes: readonly number[]; readonly bits: number } {
  const slash = range.indexOf('/');
  const text = slash < 0 ? range : range.slice(0, slash);
  // The parser alone would take `10.0.0` and `0x7f.1` too.
  const version = isIP(text);
  const length = version === 4 ? 32 : 128;
  const bits = slash < 0 ? length : Number(range.slice(slash + 1));
  if (version === 0 || !Number.isInteger(bits) || bits < 0 || bits > length) {
    throw new Error(`${JSON.stringify(range)} is neither an address nor a CIDR range`);
  }
  const address = ipaddr.parse(text);
  const bytes = address.toByteArray();
  // Clients on a dual-stack socket come in dotted form, so a mapped range is meant as the IPv4 one in it.
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && bits >= 96) {
    return { bytes: bytes.slice(12), bits: bits - 96 };
  }
  return { bytes, bits };
}
