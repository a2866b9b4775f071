import zlib from 'node:zlib';
import { move } from 'piscina';
import type { Coding } from './coding.ts';

/*
 * Runs in a thread of its own, an entry point of the bundle: compresses one body as far as is reasonable, because the
 * result is sent many times.
 */

/** What the thread is asked for. */
export interface CodingTask {
  readonly body: Uint8Array;
  readonly coding: Coding;
}

const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT, BROTLI_PARAM_LGWIN } = zlib.constants;
const gzipLevel = 9;
const zstdLevel = 19;
/** Brotli's last levels take seconds a megabyte, for little: measured on scripts. */
const brotliQualities = [
  { upTo: 256 * 1024, quality: 11 },
  { upTo: 1024 * 1024, quality: 10 },
  { upTo: Number.POSITIVE_INFINITY, quality: 9 },
] as const;
const brotliWindowBits = 22;

/** @returns the compressed body, moved to who asked; null where this Node.js has no such coding and there is no encoder for it */
export default async function codeBody(task: CodingTask): Promise<ReturnType<typeof move> | null> {
  const coded = await encode(task);
  if (coded === undefined) return null;
  // In memory of its own, which can be moved: a result of zlib may lie in a larger piece.
  const own = new Uint8Array(coded.length);
  own.set(coded);
  return move(own);
}

async function encode({ body, coding }: CodingTask): Promise<Uint8Array | undefined> {
  switch (coding) {
    case 'gzip':
      return zlib.gzipSync(body, { level: gzipLevel, memLevel: 9 });
    case 'br':
      return zlib.brotliCompressSync(body, {
        params: {
          [BROTLI_PARAM_QUALITY]: brotliQualities.find(({ upTo }) => body.length <= upTo)?.quality ?? 9,
          [BROTLI_PARAM_SIZE_HINT]: body.length,
          [BROTLI_PARAM_LGWIN]: brotliWindowBits,
        },
      });
    case 'zstd':
      return encodeZstd(body);
    default:
      throw new Error(`no such coding: ${String(coding)}`);
  }
}

interface NativeZstd {
  zstdCompressSync?(body: Uint8Array, options: { params: Record<number, number> }): Buffer;
  readonly constants: { readonly ZSTD_c_compressionLevel: number };
}

async function encodeZstd(body: Uint8Array): Promise<Uint8Array | undefined> {
  const native = zlib as unknown as NativeZstd;
  if (native.zstdCompressSync !== undefined) {
    return native.zstdCompressSync(body, { params: { [native.constants.ZSTD_c_compressionLevel]: zstdLevel } });
  }
  try {
    const { Zstd } = await import('@hpcc-js/wasm-zstd');
    return (await Zstd.load()).compress(body, zstdLevel);
  } catch {
    // An optional package: without it there is no zstd, which the client did not insist on.
    return undefined;
  }
}
