/** An entity tag's opaque part with its quotes, and whether `W/` stood before it (RFC 9110 section 8.8.3). */
export interface EntityTag {
  readonly weak: boolean;
  readonly opaque: string;
}

// Sticky: tags are read one behind the other from a list. etagc is any visible byte but the quote.
const tagPattern = /(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/y;

/** Reads one entity tag that fills the value; undefined when it is none. */
export function parseEntityTag(value: string): EntityTag | undefined {
  tagPattern.lastIndex = 0;
  const match = tagPattern.exec(value);
  if (match === null || tagPattern.lastIndex !== value.length) return undefined;
  return { weak: match[1] !== undefined, opaque: match[2] ?? '' };
}

/**
 * Whether an If-Match or If-None-Match value holds for a current entity tag: `*`, or a tag of its list equals it.
 * A list that breaks the grammar ends at the break: what stands before it counts.
 * @param comparison RFC 9110 section 8.8.3.2: `strong` for If-Match, `weak` for If-None-Match
 */
export function matchesEntityTag(list: string, current: string, comparison: 'strong' | 'weak'): boolean {
  if (list === current) return comparison === 'weak' || !current.startsWith('W/');
  if (list.trim() === '*') return true;
  const own = parseEntityTag(current);
  if (own === undefined || (comparison === 'strong' && own.weak)) return false;
  let position = 0;
  while (position < list.length) {
    const character = list[position];
    if (character === ',' || character === ' ' || character === '\t') {
      position++;
      continue;
    }
    tagPattern.lastIndex = position;
    const match = tagPattern.exec(list);
    if (match === null) return false;
    if (match[2] === own.opaque && (comparison === 'weak' || match[1] === undefined)) return true;
    position = tagPattern.lastIndex;
  }
  return false;
}
