/** Media types remembered with what was found out about them. */
const maxRemembered = 256;

/** Never matched by a pattern with `*`: compressing an event stream holds events back, so it must be named. */
const onlyByName = 'text/event-stream';

/**
 * A set of media types: whole ones (`text/html`), all of a kind (`text/*`), or all of a structure (`application/*+json`,
 * `*\/*+xml`; RFC 6839). Parameters do not count.
 */
export class MediaTypes {
  private readonly exact = new Set<string>();
  private readonly patterns: readonly { readonly start: string; readonly end: string }[];
  private readonly remembered = new Map<string, boolean>();

  constructor(types: readonly string[]) {
    const patterns: { start: string; end: string }[] = [];
    for (const type of types.map((one) => one.toLowerCase())) {
      if (!type.includes('*')) this.exact.add(type);
      else
        patterns.push({ start: type.startsWith('*/') ? '' : type.slice(0, type.indexOf('/') + 1), end: endOf(type) });
    }
    this.patterns = patterns;
  }

  /** @param contentType a value of Content-Type */
  has(contentType: string): boolean {
    let found = this.remembered.get(contentType);
    if (found === undefined) {
      found = this.matches(mediaTypeOf(contentType));
      if (this.remembered.size >= maxRemembered) this.remembered.clear();
      if (contentType.length <= maxRemembered) this.remembered.set(contentType, found);
    }
    return found;
  }

  private matches(type: string): boolean {
    if (this.exact.has(type)) return true;
    if (type === onlyByName || !type.includes('/')) return false;
    return this.patterns.some(({ start, end }) => type.startsWith(start) && type.endsWith(end));
  }
}

/** Whether a Content-Type is that of an event stream, whose pieces are sent at once. */
export function isEventStream(contentType: string | undefined): boolean {
  return contentType !== undefined && mediaTypeOf(contentType) === onlyByName;
}

function mediaTypeOf(contentType: string): string {
  const end = contentType.indexOf(';');
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}

/** What a type has to end with: the structure, if there is one. */
function endOf(pattern: string): string {
  return pattern.slice(pattern.indexOf('*', pattern.indexOf('/')) + 1);
}
