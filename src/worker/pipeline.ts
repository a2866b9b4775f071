import { performance } from 'node:perf_hooks';
import { PendingVerdict, type Verdict } from '../access/gate.ts';
import { challengePath } from '../acme/pending-challenges.ts';
import { checkHead } from '../limits/head-limits.ts';
import type { ConnectionKeeper, Exchange, ExchangeHandler } from '../listener/exchange.ts';
import { identifyClient } from '../request/client-identity.ts';
import { isPlain, normalizePath } from '../request/path.ts';
import { RequestContext } from '../request/request-context.ts';
import { respondError } from '../response/error-response.ts';
import { limitRate } from '../response/paced-exchange.ts';
import { PorticoError } from '../response/portico-error.ts';
import type { Route } from '../route/route.ts';
import type { RequestDeadlines } from './request-deadlines.ts';
import type { RequestObserver } from './request-observer.ts';
import type { SiteGraph } from './site-graph.ts';

/** Does its part for a request, or says why the request ends here, be it later. */
type Step = (context: RequestContext, graph: SiteGraph) => Verdict | PendingVerdict;

/**
 * The way of a request behind the listener, in this order. ARCHITECTURE.md draws it; a test compares the names.
 * The last step hands the request to the route's handler, which answers it now or later.
 */
export const steps: Readonly<Record<'request' | 'route' | 'browser' | 'limit' | 'access' | 'admit' | 'act', Step>> = {
  request: readRequest,
  route: findRoute,
  browser: tellBrowsers,
  limit: checkLimits,
  access: askAccess,
  admit: checkBody,
  act: handOver,
};

const order: readonly Step[] = Object.values(steps);
/** Where a request goes on whose route a glance has found. */
const behindRoute = 2;

/** Takes exchanges from the listener through the steps of the graph that is in force when they arrive. */
export class Pipeline implements ExchangeHandler {
  readonly connections: ConnectionKeeper | undefined;
  private graph: SiteGraph;
  private readonly observer: RequestObserver;

  private readonly deadlines: RequestDeadlines;

  constructor(graph: SiteGraph, observer: RequestObserver, connections: ConnectionKeeper, deadlines: RequestDeadlines) {
    this.deadlines = deadlines;
    this.connections = connections;
    this.graph = graph;
    this.observer = observer;
  }

  /** From now on requests take the new graph; those under way finish on the one they started with. */
  replaceGraph(graph: SiteGraph): void {
    this.graph = graph;
  }

  /** The same way, for a request of which only the line and single fields may be looked at yet: to an answer, or no further. */
  glance(exchange: Exchange): boolean {
    const { sites, trustedProxies, glances, headLimits } = this.graph;
    const { rawPath, query } = exchange.head;
    if (!glances || !trustedProxies.empty || !isPlain(rawPath) || rawPath.startsWith(challengePath)) return false;
    if (rawPath.length + (query?.length ?? 0) >= headLimits.uriLength) return false;
    const context = this.begin(exchange);
    context.path = rawPath;
    const route = sites.glance(context);
    if (route === undefined) return false;
    context.route = route;
    return isOpen(route) && route.handler.glance?.(context) === true;
  }

  handle(exchange: Exchange): void {
    const context = exchange.context ?? this.begin(exchange);
    if (context.route === undefined) return advance(context, this.graph, 0);
    context.client = identifyClient(exchange, this.graph.trustedProxies);
    advance(context, this.graph, behindRoute);
  }

  refuse(exchange: Exchange, error: PorticoError): void {
    const context = exchange.context ?? this.begin(exchange);
    context.client ??= identifyClient(exchange, this.graph.trustedProxies);
    respondError(context, error);
  }

  upgraded({ context }: Exchange): void {
    if (context !== undefined) this.deadlines.end(context);
    this.observer.upgraded();
  }

  finished(exchange: Exchange): void {
    const { context } = exchange;
    if (context === undefined) return;
    this.deadlines.end(context);
    if (context.places !== undefined) for (const place of context.places) place.release();
    this.observer.finished(context);
  }

  private begin(exchange: Exchange): RequestContext {
    const context = new RequestContext(exchange, performance.now());
    exchange.context = context;
    this.observer.started(exchange);
    this.deadlines.begin(context);
    return context;
  }
}

/** Whether nothing stands between the route and its handler that would have to look at the request whole. */
function isOpen({ limits, access, browser, limitRate: rate }: Route): boolean {
  return limits === undefined && access === undefined && browser === undefined && rate === undefined;
}

/** Takes a request through the steps from that one on. */
function advance(context: RequestContext, graph: SiteGraph, from: number): void {
  try {
    for (let index = from; index < order.length; index++) {
      const verdict = (order[index] as Step)(context, graph);
      if (verdict instanceof PendingVerdict) return waitFor(verdict, context, graph, index + 1);
      if (verdict !== undefined) return end(context, verdict);
    }
  } catch (cause) {
    respondError(context, new PorticoError('internal', 'a step of the request threw', { cause }));
  }
}

/** Goes on when the verdict is there, unless the client has gone by then. */
function waitFor(pending: PendingVerdict, context: RequestContext, graph: SiteGraph, next: number): void {
  context.exchange.onAborted = () => pending.cancel();
  pending.whenSettled((verdict) => {
    context.exchange.onAborted = undefined;
    if (context.exchange.aborted) return;
    if (verdict === undefined) advance(context, graph, next);
    else end(context, verdict);
  });
}

function end(context: RequestContext, verdict: Exclude<Verdict, undefined>): void {
  if (verdict instanceof PorticoError) return respondError(context, verdict);
  try {
    verdict.give(context);
  } catch (cause) {
    respondError(context, new PorticoError('internal', 'an answer could not be given', { cause }));
  }
}

function readRequest(context: RequestContext, graph: SiteGraph): PorticoError | undefined {
  const { exchange } = context;
  context.client = identifyClient(exchange, graph.trustedProxies);
  graph.strictTransport?.apply(context);
  const path = normalizePath(exchange.head.rawPath);
  if (path === undefined) return new PorticoError('path_invalid', 'the path cannot be normalised');
  context.path = path;
  return undefined;
}

function findRoute(context: RequestContext, graph: SiteGraph): PorticoError | undefined {
  const found = graph.challenges?.find(context) ?? graph.httpsRedirect?.find(context) ?? graph.sites.find(context);
  if (found instanceof PorticoError) return found;
  context.route = found;
  return undefined;
}

function checkLimits(context: RequestContext, graph: SiteGraph): PorticoError | undefined {
  const error = checkHead(context.exchange.head, graph.headLimits);
  if (error !== undefined) return error;
  return context.route?.limits?.admit(context, context.startedAt);
}

function tellBrowsers(context: RequestContext): Verdict {
  return context.route?.browser?.apply(context);
}

function askAccess(context: RequestContext): Verdict | PendingVerdict {
  return context.route?.access?.ask(context);
}

function checkBody(context: RequestContext): PorticoError | undefined {
  const { body } = context.exchange;
  const limit = context.route?.bodyLimit ?? 0;
  body.limit = limit;
  if (body.declaredLength === undefined || body.declaredLength <= limit) return undefined;
  return new PorticoError(
    'body_too_large',
    `Content-Length ${body.declaredLength} is over the limit of ${limit} bytes`,
  );
}

function handOver(context: RequestContext, graph: SiteGraph): undefined {
  const rate = context.route?.limitRate;
  if (rate !== undefined) context.exchange = limitRate(context.exchange, rate, graph.paceClock);
  context.route?.handler.handle(context);
}
