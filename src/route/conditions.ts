import type { RouteConfig } from '../config/config.ts';
import type { RequestHead } from '../request/request-head.ts';

/** What must hold: a value to be equal to, true for any value, false for none. */
type Wanted = string | boolean;

/** The conditions of a route beyond its path, ready to be tried. */
export class Conditions {
  /** Methods taken, GET with HEAD; undefined for every one. */
  readonly methods: ReadonlySet<string> | undefined;
  /** How many there are: routes with more are tried first. */
  readonly count: number;
  private readonly headers: readonly (readonly [name: string, wanted: Wanted])[];
  private readonly query: readonly (readonly [name: string, wanted: Wanted])[];

  /** Whether a request's fields are needed to try them. */
  get readFields(): boolean {
    return this.headers.length > 0;
  }

  constructor({ methods, headers = {}, query = {} }: Pick<RouteConfig, 'methods' | 'headers' | 'query'>) {
    this.methods = methods === undefined ? undefined : withHead(methods);
    this.headers = Object.entries(headers).map(([name, wanted]) => [name.toLowerCase(), wanted] as const);
    this.query = Object.entries(query);
    this.count = (methods === undefined ? 0 : 1) + this.headers.length + this.query.length;
  }

  /** Whether the method is one that the route takes. */
  takesMethod(method: string): boolean {
    return this.methods === undefined || this.methods.has(method);
  }

  /** Whether everything but the method holds. */
  holdFor({ fields, query }: RequestHead): boolean {
    for (const [name, wanted] of this.headers) {
      const holds = typeof wanted === 'string' ? fields.all(name).includes(wanted) : fields.has(name) === wanted;
      if (!holds) return false;
    }
    return this.query.length === 0 || this.queryHolds(query ?? '');
  }

  private queryHolds(query: string): boolean {
    // Decodes as browsers and frameworks do: percent escapes and plus signs, in names too.
    const parameters = new URLSearchParams(query);
    return this.query.every(([name, wanted]) =>
      typeof wanted === 'string' ? parameters.getAll(name).includes(wanted) : parameters.has(name) === wanted,
    );
  }
}

function withHead(methods: readonly string[]): ReadonlySet<string> {
  const set = new Set(methods);
  if (set.has('GET')) set.add('HEAD');
  return set;
}
