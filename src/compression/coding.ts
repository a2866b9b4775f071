import zlib from 'node:zlib';

/** The content codings that Portico makes, by their names in Content-Encoding (RFC 9110 section 8.4.1, RFC 7932, RFC 8878). */
export const codings = ['zstd', 'br', 'gzip'] as const;

export type Coding = (typeof codings)[number];

/** How much effort goes into each coding. */
export type CodingLevels = Readonly<Record<Coding, number>>;

/** Whether this Node.js has zstd of its own: 22.15, 23.8 and later. */
export const hasNativeZstd = 'createZstdCompress' in zlib;

/** Whether a response can be compressed that way while it is sent. */
export function streams(coding: Coding): boolean {
  return coding !== 'zstd' || hasNativeZstd;
}
