import { createHash } from 'node:crypto';

const megabyteSize = 1024 * 1024;

/** The content that examples/django sends as a download: megabyte number n holds SHA-256 of n over and over. */
export function megabyte(number: number): Buffer {
  return Buffer.alloc(megabyteSize, createHash('sha256').update(String(number)).digest());
}

export interface ContentFacts {
  readonly size: number;
  readonly sha256: string;
}

export function factsOfMegabytes(count: number): ContentFacts {
  const digest = createHash('sha256');
  for (let number = 0; number < count; number++) digest.update(megabyte(number));
  return { size: count * megabyteSize, sha256: digest.digest('hex') };
}

/** Reads a body to its end, keeping none of it. */
export async function factsOf(body: AsyncIterable<Uint8Array>): Promise<ContentFacts> {
  const digest = createHash('sha256');
  let size = 0;
  for await (const chunk of body) {
    digest.update(chunk);
    size += chunk.length;
  }
  return { size, sha256: digest.digest('hex') };
}
