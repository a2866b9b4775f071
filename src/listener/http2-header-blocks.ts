import { type DecodingFault, HpackDecoder, type TableField } from '../http2/hpack-decoder.ts';
import { HpackWriter } from '../http2/hpack-encoder.ts';
import { http2FieldFault } from './http2-request-head.ts';

const tableBytes = 4096;

/** The header blocks that come on a connection: put together from their frames and decoded, one after the other. */
export class Http2HeaderBlocks {
  /** Whether a block has begun and not ended. */
  open = false;
  stream = 0;
  endStream = false;
  /** The fields of the block that was decoded last. */
  fields: TableField[] = [];
  readonly continueBlock: Buffer;
  readonly #decoder = new HpackDecoder(tableBytes, http2FieldFault);
  readonly #maxBytes: number;
  #fragments: Buffer[] = [];
  #bytes = 0;
  #highest = 0;
  #stale = false;

  /** @param maxBytes of a list, decoded or not */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    const writer = new HpackWriter();
    writer.field(':status', '100');
    this.continueBlock = Buffer.from(writer.view());
  }

  begin(stream: number, endStream: boolean, fragment: Buffer): void {
    this.open = true;
    this.#stale = stream <= this.#highest;
    this.#highest = Math.max(this.#highest, stream);
    this.stream = stream;
    this.endStream = endStream;
    this.#fragments = [fragment];
    this.#bytes = fragment.length;
  }

  /** @returns false when the block is so large that it is not even worth decoding: a list somewhat too large is answered */
  append(fragment: Buffer): boolean {
    this.#fragments.push(fragment);
    this.#bytes += fragment.length;
    return this.#bytes <= 2 * this.#maxBytes;
  }

  /** Whether that stream had been opened before the block came. */
  isStale(stream: number): boolean {
    return this.#stale && stream === this.stream;
  }

  /** Decodes the block that is complete now; its fields are in `fields`. */
  decode(): DecodingFault | undefined {
    this.open = false;
    this.fields = [];
    const [first] = this.#fragments;
    const block = this.#fragments.length === 1 && first !== undefined ? first : Buffer.concat(this.#fragments);
    this.#fragments = [];
    return this.#decoder.decode(block, this.#maxBytes, this.#take);
  }

  readonly #take = (field: TableField): void => {
    this.fields.push(field);
  };
}
