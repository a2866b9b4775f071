import type { KeyedHash } from './keyed-hash.ts';

/**
 * What an address counts as: IPv4 as it stands; of IPv6 the first 64 bits, because that is what one household or machine is
 * given (RFC 6177): nobody has 2^64 addresses of his own. Reads the text in any way it may be written.
 */
export class AddressBlocks {
  readonly #groups = new Int32Array(8);

  /** Feeds the block; anything that is no address, such as '' for a Unix socket, as it stands. */
  feed(hash: KeyedHash, address: string): void {
    if (!address.includes(':')) return hash.feed(address);
    const groups = this.#groups;
    this.#read(address);
    hash.feedWord(((groups[0] as number) << 16) | (groups[1] as number));
    hash.feedWord(((groups[2] as number) << 16) | (groups[3] as number));
  }

  /** RFC 4291 section 2.2. Dotted decimals stand in the last 32 bits only, which nobody looks at. */
  #read(address: string): void {
    const groups = this.#groups;
    groups.fill(0);
    let count = 0;
    let gapAt = -1;
    let value = 0;
    let digits = 0;
    for (let index = 0; index <= address.length && count < 8; index++) {
      const code = index === address.length ? 0x3a : address.charCodeAt(index);
      if (code !== 0x3a) {
        value = (value << 4) | hexDigit(code);
        digits += 1;
      } else if (digits > 0) {
        groups[count++] = value & 0xffff;
        value = digits = 0;
      } else if (gapAt < 0 && index > 0 && address.charCodeAt(index - 1) === 0x3a) {
        gapAt = count;
      }
    }
    if (gapAt < 0) return;
    // Dotted decimals count as two groups and were read as one.
    const behind = count - gapAt + (address.includes('.') ? 1 : 0);
    groups.copyWithin(Math.min(8, Math.max(gapAt, 8 - behind)), gapAt, count);
    groups.fill(0, gapAt, Math.max(gapAt, 8 - behind));
  }
}

function hexDigit(code: number): number {
  return code <= 0x39 ? code & 0xf : (code & 0xf) + 9;
}
