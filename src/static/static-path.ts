/** Longest name that Linux file systems take, in bytes. */
const maxNameBytes = 255;
/** PATH_MAX, less room for the root. */
const maxPathBytes = 3072;

export type StaticPath =
  /** Segments joined by slashes, none in front or behind; `folder` when a slash stood behind. */
  | { readonly kind: 'allowed'; readonly relative: string; readonly folder: boolean }
  /** Never to be looked up: a dotfile, or a name that no file can have. */
  | { readonly kind: 'forbidden' };

const forbidden: StaticPath = { kind: 'forbidden' };

/**
 * Checks a path behind the prefix before it touches the disk. The caller normalised it already; this is the second lock:
 * nothing with a segment of dots, a hidden name, a NUL or an empty segment gets through, however it came here.
 * @param path decoded; '' for the root, '/' for the root as a folder
 */
export function checkStaticPath(path: string): StaticPath {
  const folder = path.endsWith('/');
  if (path.includes('\0') || Buffer.byteLength(path) > maxPathBytes) return forbidden;
  const relative = path.slice(path.startsWith('/') ? 1 : 0, folder ? -1 : undefined);
  if (relative === '') return { kind: 'allowed', relative, folder };
  return relative.split('/').every(isAllowedSegment) ? { kind: 'allowed', relative, folder } : forbidden;
}

/** `.well-known` is meant to be public (RFC 8615); every other name with a dot in front is not. */
export function isHidden(name: string): boolean {
  return name.startsWith('.') && name !== '.well-known';
}

function isAllowedSegment(segment: string): boolean {
  return segment !== '' && !isHidden(segment) && Buffer.byteLength(segment) <= maxNameBytes;
}
