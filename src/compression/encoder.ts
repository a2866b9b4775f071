import type { Transform } from 'node:stream';
import zlib from 'node:zlib';
import type { Coding, CodingLevels } from './coding.ts';

/** What Node.js's streams of the three codings have in common. */
export interface Encoder extends Transform {
  /** Gives out everything that was put in. */
  flush(kind?: number): void;
}

const {
  BROTLI_PARAM_LGWIN,
  BROTLI_PARAM_MODE,
  BROTLI_PARAM_QUALITY,
  BROTLI_PARAM_SIZE_HINT,
  BROTLI_MODE_TEXT,
  ZSTD_c_compressionLevel,
  ZSTD_c_windowLog,
  Z_SYNC_FLUSH,
} = zlib.constants as typeof zlib.constants & { ZSTD_c_compressionLevel: number; ZSTD_c_windowLog: number };

/** The window of streams: what is farther back than that hardly helps a page, and each stream has its own. */
const brotliWindowBits = 18;
const zstdWindowBits = 17;

/** zlib as later versions of Node.js have it. */
interface ZstdSupport {
  createZstdCompress(options: { params: Record<number, number> }): Encoder;
  zstdCompressSync(body: Uint8Array, options: { params: Record<number, number> }): Buffer;
}

/** Compresses a response as it comes, in the threads of Node.js. `destroy` frees its memory. */
export function createEncoder(coding: Coding, levels: CodingLevels): Encoder {
  const level = levels[coding];
  switch (coding) {
    case 'gzip':
      return zlib.createGzip({ level });
    case 'br':
      return zlib.createBrotliCompress({
        params: {
          [BROTLI_PARAM_QUALITY]: level,
          [BROTLI_PARAM_LGWIN]: brotliWindowBits,
          [BROTLI_PARAM_MODE]: BROTLI_MODE_TEXT,
        },
      });
    case 'zstd':
      return withZstd().createZstdCompress({
        params: { [ZSTD_c_compressionLevel]: level, [ZSTD_c_windowLog]: zstdWindowBits },
      });
  }
}

/** Makes it give out what it holds back. */
export function flushEncoder(encoder: Encoder, coding: Coding): void {
  if (coding === 'gzip') encoder.flush(Z_SYNC_FLUSH);
  else encoder.flush();
}

/** Compresses a small body at once: cheaper than a stream, as long as the time it takes does not matter to others. */
export function encodeWhole(body: Uint8Array, coding: Coding, levels: CodingLevels): Buffer {
  const level = levels[coding];
  switch (coding) {
    case 'gzip':
      return zlib.gzipSync(body, gzipOptions(level, body.length));
    case 'br':
      return zlib.brotliCompressSync(body, {
        params: { [BROTLI_PARAM_QUALITY]: level, [BROTLI_PARAM_SIZE_HINT]: body.length },
      });
    case 'zstd':
      return withZstd().zstdCompressSync(body, { params: { [ZSTD_c_compressionLevel]: level } });
  }
}

/** Made once for each level and size, by powers of two. */
const knownGzipOptions: zlib.ZlibOptions[] = [];

/**
 * A small body needs small tables, and those need not leave the processor's cache: a tenth of the time, for the same size.
 * The output mostly fits one piece.
 */
function gzipOptions(level: number, length: number): zlib.ZlibOptions {
  const bits = 32 - Math.clz32(length >> 1);
  const place = level * 32 + bits;
  return (knownGzipOptions[place] ??= {
    level,
    windowBits: bits > 12 ? 14 : 13,
    memLevel: 7,
    chunkSize: Math.max(1024, 1 << bits),
  });
}

/** Memory that a stream takes, roughly; measured for the windows above. */
export function encoderBytes(coding: Coding, levels: CodingLevels): number {
  const level = levels[coding];
  switch (coding) {
    case 'gzip':
      return 320 * 1024;
    case 'br':
      return (level <= 4 ? 1024 : 3072) * 1024;
    case 'zstd':
      return (level <= 4 ? 1280 : 3072) * 1024;
  }
}

function withZstd(): ZstdSupport {
  return zlib as typeof zlib & ZstdSupport;
}
