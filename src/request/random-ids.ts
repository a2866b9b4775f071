import { randomFillSync } from 'node:crypto';

const idBytes = 16;
/** Drawn at once: asking for randomness costs as much as the rest of an id. */
const idsDrawn = 256;

/** Makes ids of 32 hexadecimal digits: 128 random bits, unique over workers, restarts and machines with nothing to coordinate. */
export class RandomIds {
  private readonly bytes = Buffer.allocUnsafeSlow(idsDrawn * idBytes);
  private digits = '';
  private next = 0;

  make(): string {
    if (this.next === this.digits.length) {
      this.digits = randomFillSync(this.bytes).toString('hex');
      this.next = 0;
    }
    const start = this.next;
    this.next = start + 2 * idBytes;
    return this.digits.slice(start, this.next);
  }
}
