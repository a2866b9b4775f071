import type { CompressionRules } from '../compression/compression-rules.ts';
import { compressionDefaults } from './compression-defaults.ts';
import type { Diagnosis } from './diagnosis.ts';
import { quote } from './finding.ts';
import type { ParsedConfig } from './schema.ts';
import type { KeyPath } from './schema-walk.ts';

type ParsedCompress = ParsedConfig['sites'][number]['routes'][number]['compress'];

/** What a route says about compression, with the defaults in the place of `true`; undefined for none. */
export function compileCompression(
  compress: ParsedCompress,
  path: KeyPath,
  diagnosis: Diagnosis,
): CompressionRules | undefined {
  if (compress === false) return undefined;
  if (compress === true) return { codings: undefined, ...compressionDefaults };
  const { codings } = compress;
  for (const [index, coding] of (codings ?? []).entries()) {
    if (codings?.indexOf(coding) === index) continue;
    const message = `the coding ${quote(coding)} is there twice`;
    diagnosis.report([...path, 'codings', index], { message, found: quote(coding), allowed: 'each coding once' });
  }
  return { ...compress, codings };
}
