import { z } from 'zod';
import { compressionDefaults } from './compression-defaults.ts';
import { keyFacts } from './key-facts.ts';
import { textLike } from './schema-values.ts';
import { duration, formatDuration, formatSize, size } from './units.ts';

const { minSize, types, levels, cookies, flush } = compressionDefaults;

const mediaType = textLike(
  /^(?:\*|[\w!#$&^.+-]+)\/(?:\*|\*\+[\w.-]+|[\w!#$&^.+-]+)$/,
  'a media type such as text/html, text/* or application/*+json',
);

const codingLevels = z.strictObject({
  zstd: z.int().min(1).max(12).default(levels.zstd).describe('Level of zstd, 1 to 12. NGINX: none.'),
  br: z.int().min(0).max(9).default(levels.br).describe('Level of brotli, 0 to 9. NGINX: none.'),
  gzip: z.int().min(1).max(9).default(levels.gzip).describe('Level of gzip, 1 to 9. NGINX: `gzip_comp_level`.'),
});

const rules = z.strictObject({
  codings: z
    .array(z.enum(['zstd', 'br', 'gzip']))
    .min(1)
    .register(keyFacts, { allowed: 'a list of at least one of zstd, br, gzip' })
    .optional()
    .describe(
      'Codings that are used; of those a client wants as much, the first one. Without it `[zstd, br, gzip]` for what is compressed while it is sent, and `[br, zstd, gzip]` for what is compressed once. zstd needs Node.js 22.15 or later, but for what is compressed once. NGINX: gzip alone. HAProxy: `compression algo`.',
    ),
  minSize: size()
    .prefault(formatSize(minSize))
    .describe(
      'Responses smaller than this are not compressed. Those whose length is not known at their beginning are. NGINX: `gzip_min_length`. HAProxy: `compression minsize-res`.',
    ),
  types: z
    .array(mediaType)
    .min(1)
    .register(keyFacts, { allowed: 'a list of at least one media type such as text/html or text/*' })
    .default([...types])
    .describe(
      'Media types that are compressed: `text/html`, `text/*`, `application/*+json`. `text/event-stream` counts only when it is named itself. NGINX: `gzip_types`. HAProxy: `compression type`.',
    ),
  levels: codingLevels
    .prefault({})
    .describe(
      'How much effort goes into responses that are compressed while they are sent. What is compressed once gets all there is.',
    ),
  cookies: z
    .enum(['on', 'off'])
    .default(cookies)
    .describe(
      '`off` compresses neither responses to requests with cookies nor responses that set some: against BREACH, where a page holds a secret of its user and text that others can choose. NGINX: none. HAProxy: none.',
    ),
  flush: duration({ max: 10_000 })
    .prefault(formatDuration(flush))
    .describe(
      'How long something that the application has written may be held back in the hope of more. `0ms` sends each piece at once, as event streams are in any case. NGINX: none. HAProxy: none.',
    ),
});

/** What a route says about compression. */
export const routeCompress = z
  .union([z.boolean(), rules])
  .default(false)
  .describe(
    'Compresses responses for clients that accept it, files and what comes from upstreams alike: `true`, or how. What is compressed already, or a part, or must not be transformed stays as it is. NGINX: `gzip`. HAProxy: `filter compression`. Varnish: `beresp.do_gzip`.',
  );

/** What compressing may take, in each worker. */
export const compression = z.strictObject({
  memory: size()
    .prefault('64MB')
    .describe(
      'Memory for responses that are compressed while they are sent, in each worker: 0.3 to 3 MB each. Beyond it they go out as they are. NGINX: `gzip_buffers`. HAProxy: `maxzlibmem`.',
    ),
  threads: z
    .int()
    .min(0)
    .max(16)
    .default(1)
    .describe(
      'Threads in each worker that compress files and cached responses once, at a high level; 0 for none. They run only while there is something to do. NGINX: none. HAProxy: none.',
    ),
  queue: z
    .int()
    .min(0)
    .max(10_000)
    .default(64)
    .describe(
      'Files and cached responses that wait for a thread. Beyond it they go out as they are. NGINX: none. HAProxy: none.',
    ),
  formMemory: size()
    .prefault('32MB')
    .describe(
      'Memory for the compressed forms of cached responses, in each worker; those of files count in `fileCache.size`. NGINX: none. HAProxy: none.',
    ),
  maxStored: size({ max: 64 * 1024 ** 2 })
    .prefault('4MB')
    .describe('Files and cached responses up to this size are compressed once. NGINX: none. HAProxy: none.'),
});
