import type { KeyedHash } from './keyed-hash.ts';

const colon = 0x3a;

/**
 * What an address counts as: IPv4 as it stands; of IPv6 the first 64 bits, because that is what one household or machine is
 * given (RFC 6177): nobody has 2^64 addresses of his own. Reads the text in any way it may be written.
 */
export class AddressBlocks {
  readonly #groups = [0, 0, 0, 0, 0, 0, 0, 0];

  /** Feeds the block; anything that is no address, such as '' for a Unix socket, as it stands. */
  feed(hash: KeyedHash, address: string): void {
    if (!address.includes(':')) return hash.feed(address);
    const groups = this.#groups;
    this.#read(address);
    hash.feedWord(((groups[0] as number) << 16) | (groups[1] as number));
    hash.feedWord(((groups[2] as number) << 16) | (groups[3] as number));
    // Tells it from text.
    hash.feedWord(64);
  }

  /** The block as text: the same for all addresses of it. */
  name(address: string): string {
    if (!address.includes(':')) return address;
    this.#read(address);
    return this.#groups.slice(0, 4).join(':');
  }

  /** RFC 4291 section 2.2. Dotted decimals stand in the last 32 bits only, which nobody looks at. */
  #read(address: string): void {
    const groups = this.#groups;
    const { length } = address;
    let count = 0;
    let gapAt = -1;
    let value = 0;
    let digits = 0;
    for (let index = 0; index <= length && count < 8; index++) {
      const code = index === length ? colon : address.charCodeAt(index);
      if (code !== colon) {
        value = (value << 4) | hexDigit(code);
        digits += 1;
      } else if (digits > 0) {
        groups[count++] = value & 0xffff;
        value = digits = 0;
      } else if (gapAt < 0 && index > 0 && address.charCodeAt(index - 1) === colon) {
        gapAt = count;
        // What stands behind the fifth group says nothing any more.
        if (count >= 4) return;
      }
    }
    if (gapAt >= 0) this.#open(gapAt, count, address.includes('.') ? 1 : 0);
    else while (count < 4) groups[count++] = 0;
  }

  /** Puts zeros where `::` stands. @param dotted 1 where dotted decimals, two groups, were read as one */
  #open(gapAt: number, count: number, dotted: number): void {
    const groups = this.#groups;
    const shift = Math.max(0, 8 - count - dotted);
    for (let at = 3; at >= gapAt; at--) groups[at] = at - shift >= gapAt ? (groups[at - shift] as number) : 0;
  }
}

function hexDigit(code: number): number {
  return code <= 0x39 ? code & 0xf : (code & 0xf) + 9;
}
