import { piFraction } from './pi-fraction.ts';

const rounds = 16;
const subkeys = rounds + 2;
const boxes = 4 * 256;
/** Bytes of a password that count (Provos and Mazières, "A Future-Adaptable Password Scheme", 1999). */
const maxKeyBytes = 72;
const hashBytes = 23;
const alphabet = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const plaintext = 'OrpheanBeholderScryDoubt';

/**
 * bcrypt as OpenBSD has it since `$2b$`, the same as `$2y$`. Takes 2^cost steps of some 60 µs, so it belongs in a thread of its own.
 */
export class Bcrypt {
  /** The subkeys and the four boxes, before a key. */
  readonly #initial = piFraction(subkeys + boxes);
  readonly #state = new Int32Array(subkeys + boxes);
  #left = 0;
  #right = 0;

  /**
   * @param cost from 4 to 31
   * @param salt 22 characters of bcrypt's base64
   * @returns 31 characters of bcrypt's base64
   */
  hash(password: Uint8Array, cost: number, salt: string): string {
    const saltBytes = decode(salt, 16);
    const key = keyWords(password);
    const saltWords = wordsOf(saltBytes, subkeys);
    this.#state.set(this.#initial);
    this.#expand(key, wordsOf(saltBytes, 4));
    const none = new Int32Array(4);
    for (let left = 2 ** cost; left > 0; left--) {
      this.#expand(key, none);
      this.#expand(saltWords, none);
    }
    key.fill(0);
    const text = wordsOf(Buffer.from(plaintext, 'latin1'), 6);
    for (let index = 0; index < 6; index += 2) {
      this.#left = text[index] as number;
      this.#right = text[index + 1] as number;
      for (let time = 0; time < 64; time++) this.#encipher();
      text[index] = this.#left;
      text[index + 1] = this.#right;
    }
    this.#state.fill(0);
    const bytes = Buffer.alloc(24);
    for (const [index, word] of text.entries()) bytes.writeInt32BE(word, index * 4);
    return encode(bytes.subarray(0, hashBytes));
  }

  /** The key schedule: the key into the subkeys, then everything anew from what it enciphers, the salt mixed in. */
  #expand(key: Int32Array, salt: Int32Array): void {
    const state = this.#state;
    for (let index = 0; index < subkeys; index++) state[index] = (state[index] as number) ^ (key[index] as number);
    this.#left = 0;
    this.#right = 0;
    for (let index = 0, at = 0; index < state.length; index += 2, at ^= 2) {
      this.#left ^= salt[at] as number;
      this.#right ^= salt[at + 1] as number;
      this.#encipher();
      state[index] = this.#left;
      state[index + 1] = this.#right;
    }
  }

  #encipher(): void {
    const state = this.#state;
    let left = this.#left ^ (state[0] as number);
    let right = this.#right;
    for (let round = 1; round <= rounds; round += 2) {
      right ^= mix(state, left) ^ (state[round] as number);
      left ^= mix(state, right) ^ (state[round + 1] as number);
    }
    this.#left = right ^ (state[rounds + 1] as number);
    this.#right = left;
  }
}

/** Blowfish's F: each byte chooses an entry of its box. */
function mix(state: Int32Array, half: number): number {
  const first = (state[subkeys + (half >>> 24)] as number) + (state[subkeys + 256 + ((half >>> 16) & 0xff)] as number);
  return (
    ((first ^ (state[subkeys + 512 + ((half >>> 8) & 0xff)] as number)) +
      (state[subkeys + 768 + (half & 0xff)] as number)) |
    0
  );
}

/** The password with the zero at its end, over and over. */
function keyWords(password: Uint8Array): Int32Array {
  const bytes = Buffer.alloc(Math.min(password.length + 1, maxKeyBytes));
  bytes.set(password.subarray(0, maxKeyBytes));
  const words = wordsOf(bytes, subkeys);
  bytes.fill(0);
  return words;
}

function wordsOf(bytes: Uint8Array, count: number): Int32Array {
  const words = new Int32Array(count);
  for (let index = 0; index < count * 4; index++) {
    words[index >> 2] = ((words[index >> 2] as number) << 8) | (bytes[index % bytes.length] as number);
  }
  return words;
}

function encode(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    for (bits += 8; bits >= 6; bits -= 6) text += alphabet[(held >> (bits - 6)) & 0x3f];
    held &= 0xff;
  }
  return bits === 0 ? text : text + alphabet[(held << (6 - bits)) & 0x3f];
}

function decode(text: string, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const character of text) {
    held = ((held << 6) | alphabet.indexOf(character)) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    if (at < length) bytes[at++] = (held >> bits) & 0xff;
  }
  return bytes;
}
