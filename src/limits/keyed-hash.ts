/** Characters of a key that count, all its parts together; what a client sends beyond them changes nothing. */
const maxWords = 8192;

/**
 * Names a client by 64 bits that it cannot foresee: HalfSipHash-1-3 (Aumasson and Bernstein, "SipHash"), keyed with a
 * secret that all workers share. Without the secret nobody can make keys that meet in one place of a table. Strings are
 * Latin-1. Nothing is allocated: a key is fed part by part, then `finish` leaves it in `high` and `low`.
 */
export class KeyedHash {
  /** Signed integers of 32 bits, as typed arrays hold them. */
  high = 0;
  low = 0;
  readonly #key0: number;
  readonly #key1: number;
  readonly #words = new Int32Array(maxWords + 4);
  #length = 0;

  /** @param secret at least 8 bytes */
  constructor(secret: Uint8Array) {
    const view = new DataView(secret.buffer, secret.byteOffset, secret.byteLength);
    this.#key0 = view.getInt32(0, true);
    this.#key1 = view.getInt32(4, true);
  }

  begin(): void {
    this.#length = 0;
  }

  /** @param word what counts of it are the lower 32 bits */
  feedWord(word: number): void {
    if (this.#length < maxWords) this.#words[this.#length++] = word;
  }

  /** The length goes in as well, so that two parts never look like two others. */
  feed(text: string): void {
    const words = this.#words;
    const { length } = text;
    let at = this.#length;
    const last = Math.min(length, (maxWords - at) * 4);
    let index = 0;
    for (; index + 3 < last; index += 4) {
      words[at++] =
        (text.charCodeAt(index) & 0xff) |
        ((text.charCodeAt(index + 1) & 0xff) << 8) |
        ((text.charCodeAt(index + 2) & 0xff) << 16) |
        (text.charCodeAt(index + 3) << 24);
    }
    let tail = 0;
    for (let shift = 0; index < last; index++, shift += 8) tail |= (text.charCodeAt(index) & 0xff) << shift;
    words[at++] = tail;
    words[at++] = length;
    this.#length = Math.min(at, maxWords);
  }

  finish(): void {
    const words = this.#words;
    const count = this.#length;
    let v0 = this.#key0;
    let v1 = this.#key1 ^ 0xee;
    let v2 = 0x6c796765 ^ this.#key0;
    let v3 = 0x74656462 ^ this.#key1;
    // The words, one with their number, and four rounds that finish: three give the one half, three more the other.
    for (let index = 0; index < count + 7; index++) {
      const word = index < count ? (words[index] as number) : index === count ? count << 24 : 0;
      if (index === count + 1) v2 ^= 0xee;
      if (index === count + 4) {
        this.high = v1 ^ v3;
        v1 ^= 0xdd;
      }
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    this.low = v1 ^ v3;
  }
}
