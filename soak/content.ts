import { crc32 } from 'node:zlib';
import { Random } from './random.ts';

const blockBytes = 256 * 1024;

/** The bytes of every response: made here and by application.py from the same block, so that each one can be checked. */
export class Content {
  readonly block: Buffer;
  private readonly bodies = new Map<string, Buffer>();

  constructor(seed: number) {
    const random = new Random(seed);
    this.block = Buffer.alloc(blockBytes);
    for (let index = 0; index < blockBytes; index++) this.block[index] = random.below(256);
  }

  /** The path, a line feed, and from there on the block, beginning at a place that the path decides. */
  body(path: string, bytes: number): Buffer {
    let body = this.bodies.get(path);
    if (body === undefined) {
      const head = Buffer.from(`${path}\n`);
      const start = crc32(head) % blockBytes;
      const blocks = Array.from({ length: Math.ceil(bytes / blockBytes) }, () => this.block);
      body = Buffer.concat([head, this.block.subarray(start), ...blocks]).subarray(0, bytes);
      this.bodies.set(path, body);
    }
    return body;
  }
}
