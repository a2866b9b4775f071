import { randomBytes } from 'node:crypto';

/** A key for session tickets as node:tls takes it: 16 bytes of name, 16 of a key for a MAC, 16 of a key for AES. */
const keyBytes = 48;
const rotationMs = 12 * 3_600_000;

/**
 * The key by which workers encrypt TLS session tickets (RFC 5077, RFC 8446 section 4.6.1): the same in all of them, so
 * that a client resumes its session wherever it arrives. Another one takes its place every twelve hours, and what was
 * encrypted with the former is lost then; tickets live for five minutes only.
 */
export class TicketKeys {
  readonly #changed: (key: Buffer) => void;
  readonly #timer: NodeJS.Timeout;
  #key = randomBytes(keyBytes);

  /** @param changed gets each further key */
  constructor(changed: (key: Buffer) => void, everyMs = rotationMs) {
    this.#changed = changed;
    this.#timer = setInterval(() => this.#rotate(), everyMs).unref();
  }

  get key(): Buffer {
    return this.#key;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #rotate(): void {
    this.#key = randomBytes(keyBytes);
    this.#changed(this.#key);
  }
}
