import type { RouteAction } from '../config/config.ts';
import { pathRest } from '../http/path-rest.ts';
import type { RequestHead } from '../request/request-head.ts';

type RedirectAction = Extract<RouteAction, { kind: 'redirect' }>;

/** Makes the Location of a redirect from its configured target and a request. */
export class RedirectTarget {
  /** The Location of a request that adds nothing to it. */
  readonly fixed: string;
  private readonly path: string;
  private readonly query: string;
  private readonly fragment: string;
  private readonly prefix: string | undefined;
  private readonly keepQuery: boolean;

  /** @param prefix of the route; undefined when it takes one exact path, which leaves no rest */
  constructor(action: RedirectAction, prefix: string | undefined) {
    const [beforeFragment, fragment] = splitAt(action.to, '#');
    const [path, query] = splitAt(beforeFragment, '?');
    // `https://host` has the path `/`, and needs it in front of a query.
    this.path = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/]+$/.test(path) ? `${path}/` : path;
    this.query = query;
    this.fragment = fragment;
    this.prefix = action.keepPath ? prefix : undefined;
    this.keepQuery = action.keepQuery;
    this.fixed = escapeUnsafe(this.path + this.query + this.fragment);
  }

  /** The Location for a request: the very string `fixed` when the request adds nothing. */
  locate({ rawPath, query }: RequestHead): string {
    const rest = this.prefix === undefined ? '' : pathRest(rawPath, this.prefix);
    const keptQuery = this.keepQuery && query !== undefined ? query : '';
    if (rest === '' && keptQuery === '') return this.fixed;
    return escapeUnsafe(join(this.path, rest) + joinQuery(this.query, keptQuery) + this.fragment);
  }
}

/**
 * One slash between the target and the rest, whatever the two have: `/` and `//evil.example` must not become a Location
 * that names another host (RFC 3986 section 4.2).
 */
function join(path: string, rest: string): string {
  if (rest === '') return path;
  const base = path.endsWith('/') ? path.slice(0, -1) : path;
  return `${base}/${rest.replace(/^\/+/, '')}`;
}

/** @param configured `''`, or begins with its question mark */
function joinQuery(configured: string, kept: string): string {
  if (kept === '') return configured;
  return configured === '' ? `?${kept}` : `${configured}&${kept}`;
}

/** Cuts before the mark, which stays with the second part. */
function splitAt(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at)];
}

// What may not stand in a URI raw, and would end the field or be read differently: controls, space, backslash, beyond ASCII.
// oxlint-disable-next-line no-control-regex
const unsafe = /[^\x21-\x5b\x5d-\x7e]+/g;

function escapeUnsafe(location: string): string {
  // Lone surrogates have no UTF-8 form; they become U+FFFD.
  return location.replaceAll(unsafe, (text) => encodeURIComponent(Buffer.from(text).toString()));
}
