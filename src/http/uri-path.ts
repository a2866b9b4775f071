/**
 * Percent-encodes a decoded path for a Location field. The result starts with exactly one slash and holds no backslash,
 * so that no client can take it for another host (`//example.net`, `/\example.net`).
 */
export function encodePath(path: string): string {
  // Through bytes and back, because encodeURI throws on a lone surrogate.
  const encoded = encodeURI(Buffer.from(path).toString()).replaceAll('?', '%3F').replaceAll('#', '%23');
  return `/${encoded.replace(/^(?:\/|%5C)+/, '')}`;
}
