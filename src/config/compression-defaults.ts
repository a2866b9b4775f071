/** What `compress` is where a route says no more than `true`; bytes and milliseconds. */
export const compressionDefaults = {
  minSize: 1024,
  types: [
    'text/*',
    'application/json',
    'application/javascript',
    'application/x-javascript',
    'application/xml',
    'application/wasm',
    'application/*+json',
    'application/*+xml',
    'application/vnd.ms-fontobject',
    'font/otf',
    'font/ttf',
    'image/bmp',
    'image/svg+xml',
    'image/x-icon',
    'image/vnd.microsoft.icon',
  ],
  levels: { zstd: 3, br: 2, gzip: 1 },
  cookies: 'on',
  flush: 50,
} as const;
