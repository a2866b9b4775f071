import { formatHttpDate } from '../http/date.ts';
import { HpackWriter } from '../http2/hpack-encoder.ts';
import type { ResponseHead } from '../response/response-head.ts';

/**
 * Encodes response heads for HTTP/2: the lines of the block, names in lower case, then the length and Date. What is
 * encoded of a head is kept with it, as those of files and stored responses are sent again and again. One for an engine.
 */
export class Http2ResponseFields {
  readonly #writer = new HpackWriter();
  readonly #encoded = new WeakMap<ResponseHead, Buffer>();
  /** Seen once: encoding is worth keeping from the second time on. */
  readonly #seen = new WeakSet<ResponseHead>();
  #dateSecond = -1;
  #date = Buffer.alloc(0);

  /** @returns a header block, valid until the next call */
  encode(head: ResponseHead, length: number | undefined): Buffer {
    const writer = this.#writer;
    const known = this.#encoded.get(head);
    const date = this.#dateBlock();
    writer.clear();
    if (known === undefined) this.#encodeBlock(head);
    else writer.append(known);
    if (length !== undefined) writer.field('content-length', String(length));
    writer.append(date);
    return writer.view();
  }

  #encodeBlock(head: ResponseHead): void {
    const writer = this.#writer;
    writer.status(head.status);
    const text = head.block.toString('latin1');
    let position = text.indexOf('\r\n');
    while (position >= 0) {
      const next = text.indexOf('\r\n', position + 2);
      const line = next < 0 ? text.slice(position + 2) : text.slice(position + 2, next);
      const colon = line.indexOf(':');
      if (colon > 0) writer.field(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
      position = next;
    }
    if (this.#seen.has(head)) this.#encoded.set(head, Buffer.from(writer.view()));
    else this.#seen.add(head);
  }

  #dateBlock(): Buffer {
    const second = Math.floor(Date.now() / 1000);
    if (second !== this.#dateSecond) {
      this.#dateSecond = second;
      this.#writer.clear();
      this.#writer.field('date', formatHttpDate(second));
      this.#date = Buffer.from(this.#writer.view());
    }
    return this.#date;
  }
}
