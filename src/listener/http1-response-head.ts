import { formatHttpDate } from '../http/date.ts';
import type { ResponseHead } from '../response/response-head.ts';

const versionBytes = Buffer.from('HTTP/1.1 ', 'latin1');

/** How a response's body is delimited: its length, `chunked`, by the end of the connection (HTTP/1.0), or not at all. */
export type ResponseFraming = number | 'chunked' | 'close' | 'none';

/** Writes response heads: the block as it is, then Date and what frames the body. One for an engine. */
export class Http1ResponseHeads {
  #dateSecond = -1;
  #date = '';

  /**
   * @param connection `close`, `keep-alive` for HTTP/1.0, or '' where nothing needs to be said
   * @param body       stands behind the head in the same memory
   */
  write(head: ResponseHead, framing: ResponseFraming, connection: string, body?: Uint8Array): Buffer {
    const tail = this.#tail(framing, connection);
    const { block } = head;
    const headBytes = versionBytes.length + block.length + tail.length;
    const bytes = Buffer.allocUnsafe(headBytes + (body?.length ?? 0));
    bytes.set(versionBytes, 0);
    bytes.set(block, versionBytes.length);
    bytes.write(tail, versionBytes.length + block.length, 'latin1');
    if (body !== undefined) bytes.set(body, headBytes);
    return bytes;
  }

  #tail(framing: ResponseFraming, connection: string): string {
    let lines = `\r\nDate: ${this.#now()}`;
    if (framing === 'chunked') lines += '\r\nTransfer-Encoding: chunked';
    else if (typeof framing === 'number') lines += `\r\nContent-Length: ${framing}`;
    if (connection !== '') lines += `\r\nConnection: ${connection}`;
    return `${lines}\r\n\r\n`;
  }

  #now(): string {
    const second = Math.floor(Date.now() / 1000);
    if (second !== this.#dateSecond) {
      this.#dateSecond = second;
      this.#date = formatHttpDate(second);
    }
    return this.#date;
  }
}
