import type { Coding, CodingLevels } from './coding.ts';

/** What a route says about compression, as plain data. Compiled from `routes[].compress`. */
export interface CompressionRules {
  /** Which codings, the preferred one first; undefined for the order that is best for each purpose. */
  readonly codings: readonly Coding[] | undefined;
  /** Bytes; smaller responses are not compressed. */
  readonly minSize: number;
  /** Media types: `text/html`, `text/*`, `application/*+json`. */
  readonly types: readonly string[];
  /** For responses that are compressed while they are sent. */
  readonly levels: CodingLevels;
  /** Whether responses to requests with cookies, and responses that set some, are compressed. */
  readonly cookies: 'on' | 'off';
  /** Milliseconds after which what the application wrote is sent, although more would compress better. */
  readonly flush: number;
}

/** Best first for responses that are compressed while they are sent: zstd costs half of the others for the same size. */
const streamOrder: readonly Coding[] = ['zstd', 'br', 'gzip'];
/** Best first for what is compressed once: brotli becomes smallest when time does not matter. */
const storedOrder: readonly Coding[] = ['br', 'zstd', 'gzip'];

/** The order of the codings for responses that are compressed while they are sent. */
export function streamCodings({ codings }: CompressionRules): readonly Coding[] {
  return codings ?? streamOrder;
}

/** The order of the codings for what is compressed once and kept. */
export function storedCodings({ codings }: CompressionRules): readonly Coding[] {
  return codings ?? storedOrder;
}
