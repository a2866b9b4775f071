const dotSegment = /^(?:\.|%2e)$/i;
const doubleDotSegment = /^(?:\.|%2e){2}$/i;

/**
 * What follows a prefix in a path, exactly as the client sent it, for a path whose normalised form begins with that
 * prefix. The client may have spelled the prefix differently: with escapes, doubled slashes or dot segments.
 *
 * @param prefix normalised, as in a route: `/old` or `/old/`
 * @returns `''`, or what begins with the slash behind the prefix: `/old/` and `/old//a%20b` give `//a%20b`
 */
export function pathRest(rawPath: string, prefix: string): string {
  const depth = segmentCount(prefix);
  if (depth === 0) return rawPath;
  // The usual spelling: the prefix as it stands, and nothing behind it that could climb out of it again.
  const bare = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
  if (rawPath.startsWith(bare) && !/\/(?:\.|%2e)/i.test(rawPath)) return rawPath.slice(bare.length);
  return restBelow(rawPath, depth);
}

/** Walks the segments and keeps what stands behind the one that reached the depth for the last time. */
function restBelow(rawPath: string, depth: number): string {
  let level = 0;
  let restStart = rawPath.length;
  for (let start = 1; start <= rawPath.length; ) {
    const slash = rawPath.indexOf('/', start);
    const end = slash === -1 ? rawPath.length : slash;
    const segment = rawPath.slice(start, end);
    if (doubleDotSegment.test(segment)) level -= 1;
    else if (segment !== '' && !dotSegment.test(segment)) {
      level += 1;
      if (level === depth) restStart = end;
    }
    start = end + 1;
  }
  return rawPath.slice(restStart);
}

function segmentCount(prefix: string): number {
  let count = 0;
  for (const segment of prefix.split('/')) if (segment !== '') count += 1;
  return count;
}
