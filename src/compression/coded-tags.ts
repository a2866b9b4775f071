import { HeaderFields } from '../http/header-fields.ts';
import type { RequestHead } from '../request/request-head.ts';
import type { Coding } from './coding.ts';

/*
 * A strong entity tag names bytes, so the compressed form of a response needs one of its own (RFC 9110 section 8.8.3.3):
 * `"abc"` becomes `"abc-gzip"`, as the tags of compressed siblings of static files are made. Clients send it back, and
 * whoever stands behind knows only `"abc"`: requests are told both. A weak tag stands for all forms and stays.
 */

// Several tags behind one another; etagc is any visible byte but the quote (RFC 9110 section 8.8.3).
const tagPattern = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g;
const conditionNames = new Set(['if-match', 'if-none-match']);

/** The entity tag of the form in that coding. */
export function codedTag(etag: string, coding: Coding): string {
  return etag.startsWith('"') && etag.length > 1 && etag.endsWith('"') ? `${etag.slice(0, -1)}-${coding}"` : etag;
}

/**
 * The head with If-None-Match and If-Match as those behind the compression have to see them: for each tag of a form that
 * was compressed here also the one it was made from. If-Range stays: only parts of what is not compressed are sent.
 * @param accepted the codings that the client accepts: only a form that it could be sent can still be current
 * @param known    all codings of the route: for If-Match, which is about the state of the resource
 */
export function uncodedRequest(head: RequestHead, accepted: readonly Coding[], known: readonly Coding[]): RequestHead {
  const { entries } = head.fields;
  let changed: string[] | undefined;
  for (let index = 0; index < entries.length; index += 2) {
    const name = entries[index] ?? '';
    // Comparing lengths first spares most names the look-up.
    if ((name.length !== 8 && name.length !== 13) || !conditionNames.has(name)) continue;
    const value = entries[index + 1] ?? '';
    const extended = withUncodedTags(value, name === 'if-match' ? known : accepted);
    if (extended === value) continue;
    changed ??= [...entries];
    changed[index + 1] = extended;
  }
  if (changed === undefined) return head;
  const { method, protocol, target, rawPath, query, host } = head;
  const fields = new HeaderFields(changed);
  return {
    method,
    target,
    rawPath,
    query,
    host,
    fields,
    peek: (name) => fields.peek(name),
    ...(protocol === undefined ? {} : { protocol }),
  };
}

/**
 * The tag of a 304 as the client knows it: the one of those it named that this tag, or the form of it in a coding, is.
 * @param list the client's own If-None-Match
 * @returns undefined to leave it as it is
 */
export function tagAsKnown(list: string | undefined, etag: string, accepted: readonly Coding[]): string | undefined {
  if (list === undefined) return undefined;
  const tags: readonly string[] = list.match(tagPattern) ?? [];
  if (tags.includes(etag) || tags.includes(`W/${etag}`)) return undefined;
  return accepted
    .map((coding) => codedTag(etag, coding))
    .find((tag) => tags.includes(tag) || tags.includes(`W/${tag}`));
}

function withUncodedTags(list: string, known: readonly Coding[]): string {
  const tags: readonly string[] = list.match(tagPattern) ?? [];
  const added = new Set<string>();
  for (const tag of tags) {
    const coding = known.find((one) => tag.endsWith(`-${one}"`));
    // A weak one was weakened on the way: the comparison of If-None-Match does not mind, and If-Match takes none.
    if (coding === undefined) continue;
    const uncoded = `${tag.slice(0, -coding.length - 2)}"`;
    if (!tags.includes(uncoded)) added.add(uncoded);
  }
  return added.size === 0 ? list : `${list}, ${[...added].join(', ')}`;
}
