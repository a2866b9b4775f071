/** Origins (RFC 6454) that a list names: one by one, `https://*.example.com` for every name below it, or `*` for all. */
export class OriginList {
  /** Whether it names all. */
  readonly everybody: boolean;
  readonly #exact: ReadonlySet<string>;
  readonly #below: readonly { readonly start: string; readonly end: string }[];

  /** @param origins in lower case */
  constructor(origins: readonly string[]) {
    this.everybody = origins.includes('*');
    this.#exact = new Set(origins.filter((origin) => !origin.includes('*')));
    this.#below = origins
      .filter((origin) => origin.includes('://*.'))
      .map((origin) => ({ start: origin.slice(0, origin.indexOf('*')), end: origin.slice(origin.indexOf('*') + 1) }));
  }

  /** @param origin as the browser sent it: browsers write origins in one way only */
  has(origin: string): boolean {
    return this.everybody || this.#exact.has(origin) || this.#below.some((pattern) => isBelow(origin, pattern));
  }
}

function isBelow(origin: string, { start, end }: { readonly start: string; readonly end: string }): boolean {
  if (!origin.startsWith(start) || !origin.endsWith(end)) return false;
  const from = start.length;
  const to = origin.length - end.length;
  // `https://.example.com` has nothing where the name should be.
  if (to <= from || to - from > 253) return false;
  for (let index = from; index < to; index++) if (!isNameCharacter(origin.charCodeAt(index))) return false;
  return true;
}

/** a-z, 0-9, `.` and `-`: neither a slash nor an @ nor anything else that ends a host. */
function isNameCharacter(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === 0x2e || code === 0x2d;
}
