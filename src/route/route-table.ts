import type { RequestContext } from '../request/request-context.ts';
import { PorticoError } from '../response/portico-error.ts';
import { serializeFields } from '../response/response-head.ts';
import type { Conditions } from './conditions.ts';
import type { PathForest, PathMatch } from './path-forest.ts';
import { PathTree } from './path-match.ts';
import type { ErrorPages, Route, Site } from './route.ts';

/** A route with what it demands of a request. */
export interface RouteCandidate {
  readonly path: string;
  readonly exact: boolean;
  /** Whether it takes every request for its path: there are no conditions, and the route is not internal. */
  readonly takesAll: boolean;
  readonly route: Route;
  readonly conditions: Conditions;
}

const routeNotFound = new PorticoError('route_not_found', 'no route of the site takes the request');

/** The routes of one site. */
export class RouteTable implements Site {
  readonly errorPages: ErrorPages;
  /** Whether some route looks at the fields of requests. */
  private readonly readFields: boolean;
  private readonly paths: PathTree<RouteCandidate>;

  /**
   * @param candidates in the order of the file
   * @param forest where the paths of all sites stand
   */
  constructor(candidates: readonly RouteCandidate[], errorPages: ErrorPages, forest: PathForest<RouteCandidate>) {
    this.paths = new PathTree(forest);
    this.errorPages = errorPages;
    this.readFields = candidates.some(({ conditions }) => conditions.readFields);
    // Most conditions first; sorting keeps the order of the file among equals.
    for (const candidate of candidates.toSorted((a, b) => b.conditions.count - a.conditions.count)) {
      if (candidate.exact) this.paths.addExact(candidate.path, candidate);
      else this.paths.addPrefix(candidate.path, candidate);
    }
    this.paths.finish();
  }

  /** The route for a request whose fields may not be read; undefined where they would be needed, and when there is none. */
  glance(context: RequestContext): Route | undefined {
    if (this.readFields) return undefined;
    const found = this.find(context);
    return found instanceof PorticoError ? undefined : found;
  }

  /** The route for a request, or why there is none. */
  find(context: RequestContext): Route | PorticoError {
    const { head } = context.exchange;
    const internal = context.origin !== undefined;
    const longest = this.paths.find(context.path);
    // As most are: nothing else is looked at then.
    if (longest?.first.takesAll === true && !internal) return longest.first.route;
    let wrongMethod = false;
    for (let match = longest; match !== undefined; match = match.shorter) {
      for (const { conditions, route } of match.values) {
        if (conditions.count > 0 && !conditions.holdFor(head)) continue;
        const hidden = (route.internal ?? false) !== internal;
        // It is in the way, not passed over: what is kept for the application must not fall to another route.
        if (conditions.takesMethod(head.method)) return hidden ? routeNotFound : route;
        if (!hidden) wrongMethod = true;
      }
    }
    return wrongMethod ? methodNotAllowed(context, longest) : routeNotFound;
  }
}

/** Every method that a route for this very request would take, were it sent with it. */
function methodNotAllowed(context: RequestContext, longest: PathMatch<RouteCandidate> | undefined): PorticoError {
  const allowed = new Set<string>();
  for (let match = longest; match !== undefined; match = match.shorter) {
    for (const { conditions, route } of match.values) {
      if (route.internal === true && context.origin === undefined) continue;
      if (!conditions.holdFor(context.exchange.head)) continue;
      for (const method of conditions.methods ?? []) allowed.add(method);
    }
  }
  const allow = [...allowed].toSorted().join(', ');
  const fields = serializeFields([['Allow', allow]]);
  return new PorticoError('method_not_allowed', `the routes for the path take ${allow}`, { fields });
}
