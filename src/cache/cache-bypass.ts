import type { RequestHead } from '../request/request-head.ts';
import type { CacheRules } from './cache-rules.ts';
import { NamePatterns } from './name-patterns.ts';
import { field } from './request-field.ts';

/** Tells which requests go past the cache because of a cookie, a field or a parameter of the query. */
export class CacheBypass {
  private readonly cookies: NamePatterns;
  private readonly headers: readonly string[];
  private readonly query: NamePatterns;
  private readonly byCookie: boolean;
  private readonly byQuery: boolean;

  constructor({ cookies, headers, query }: CacheRules['bypass']) {
    this.cookies = new NamePatterns(cookies);
    this.headers = headers;
    this.query = new NamePatterns(query);
    this.byCookie = !this.cookies.isEmpty;
    this.byQuery = !this.query.isEmpty;
  }

  concerns(head: RequestHead): boolean {
    if (this.byCookie && this.hasCookie(head)) return true;
    for (const name of this.headers) {
      if (field(head, name) !== undefined) return true;
    }
    return this.byQuery && head.query !== undefined && this.hasParameter(head.query);
  }

  /**
   * Whether it may concern a request of which only the first field of a name can be seen, and not whether an empty one is
   * there: any cookie may be in a second field, which some clients send, and any field may be empty.
   */
  mayConcern(head: RequestHead): boolean {
    if (this.headers.length > 0 || (this.byCookie && head.peek('cookie') !== undefined)) return true;
    return this.byQuery && head.query !== undefined && this.hasParameter(head.query);
  }

  private hasCookie(head: RequestHead): boolean {
    if (field(head, 'cookie') === undefined) return false;
    // Clients may send several fields (RFC 9113 section 8.2.3).
    return head.fields.all('cookie').some((text) => text.split(';').some((pair) => this.cookies.matches(nameOf(pair))));
  }

  private hasParameter(query: string): boolean {
    return query.split('&').some((parameter) => this.query.matches(decoded(nameOf(parameter))));
  }
}

function nameOf(pair: string): string {
  const end = pair.indexOf('=');
  return (end < 0 ? pair : pair.slice(0, end)).trim();
}

/** A name in another spelling means the same to the application. */
function decoded(name: string): string {
  if (!name.includes('%') && !name.includes('+')) return name;
  try {
    return decodeURIComponent(name.replaceAll('+', ' '));
  } catch {
    return name;
  }
}
