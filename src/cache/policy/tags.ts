import type { HeaderFields } from '../../http/header-fields.ts';

/** Bounds of what a response can make the index of tags hold. */
const maxTags = 128;
const maxTagLength = 256;

/** The tags of a response: Cache-Tag, parted by commas, and Surrogate-Key, parted by blanks. Each once, in their order. */
export function tagsOf(fields: HeaderFields): string[] {
  const tags = new Set<string>();
  for (const value of fields.all('cache-tag')) addTags(tags, value.split(',', maxTags));
  for (const value of fields.all('surrogate-key')) addTags(tags, value.split(' ', 4 * maxTags));
  return [...tags];
}

function addTags(tags: Set<string>, members: readonly string[]): void {
  for (const member of members) {
    const tag = member.trim();
    if (tag !== '' && tag.length <= maxTagLength && tags.size < maxTags) tags.add(tag);
  }
}
