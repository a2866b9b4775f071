import { performance } from 'node:perf_hooks';
import type { Exchange, ExchangeHandler } from '../listener/exchange.ts';
import { identifyClient } from '../request/client-identity.ts';
import { isPlain, normalizePath } from '../request/path.ts';
import { RequestContext } from '../request/request-context.ts';
import { respondError } from '../response/error-response.ts';
import { limitRate } from '../response/paced-exchange.ts';
import { PorticoError } from '../response/portico-error.ts';
import type { RequestObserver } from './request-observer.ts';
import type { SiteGraph } from './site-graph.ts';

/** Does its part for a request, or says why the request ends here. */
type Step = (context: RequestContext, graph: SiteGraph) => PorticoError | undefined;

/**
 * The way of a request behind the listener, in this order. ARCHITECTURE.md draws it; a test compares the names.
 * The last step hands the request to the route's handler, which answers it now or later.
 */
export const steps: Readonly<Record<'request' | 'route' | 'admit' | 'act', Step>> = {
  request: readRequest,
  route: findRoute,
  admit: checkBody,
  act: handOver,
};

const order: readonly Step[] = Object.values(steps);
/** What is left to do for a request whose route a glance has found. */
const orderBehindRoute: readonly Step[] = [steps.admit, steps.act];

/** Takes exchanges from the listener through the steps of the graph that is in force when they arrive. */
export class Pipeline implements ExchangeHandler {
  private graph: SiteGraph;
  private readonly observer: RequestObserver;

  constructor(graph: SiteGraph, observer: RequestObserver) {
    this.graph = graph;
    this.observer = observer;
  }

  /** From now on requests take the new graph; those under way finish on the one they started with. */
  replaceGraph(graph: SiteGraph): void {
    this.graph = graph;
  }

  /** The same way, for a request of which only the line and single fields may be looked at yet: to an answer, or no further. */
  glance(exchange: Exchange): boolean {
    const { sites, trustedProxies } = this.graph;
    const { rawPath } = exchange.head;
    if (!trustedProxies.empty || !isPlain(rawPath)) return false;
    const context = this.begin(exchange);
    context.path = rawPath;
    const route = sites.glance(context);
    if (route === undefined) return false;
    context.route = route;
    return route.limitRate === undefined && route.handler.glance?.(context) === true;
  }

  handle(exchange: Exchange): void {
    const context = exchange.context ?? this.begin(exchange);
    const { graph } = this;
    try {
      if (context.route !== undefined) context.client = identifyClient(exchange, graph.trustedProxies);
      for (const step of context.route === undefined ? order : orderBehindRoute) {
        const error = step(context, graph);
        if (error !== undefined) return respondError(context, error);
      }
    } catch (cause) {
      respondError(context, new PorticoError('internal', 'a step of the request threw', { cause }));
    }
  }

  refuse(exchange: Exchange, error: PorticoError): void {
    const context = exchange.context ?? this.begin(exchange);
    context.client ??= identifyClient(exchange, this.graph.trustedProxies);
    respondError(context, error);
  }

  upgraded(): void {
    this.observer.upgraded();
  }

  finished(exchange: Exchange): void {
    if (exchange.context !== undefined) this.observer.finished(exchange.context);
  }

  private begin(exchange: Exchange): RequestContext {
    const context = new RequestContext(exchange, performance.now());
    exchange.context = context;
    this.observer.started(exchange);
    return context;
  }
}

function readRequest(context: RequestContext, graph: SiteGraph): PorticoError | undefined {
  const { exchange } = context;
  context.client = identifyClient(exchange, graph.trustedProxies);
  const path = normalizePath(exchange.head.rawPath);
  if (path === undefined) return new PorticoError('path_invalid', 'the path cannot be normalised');
  context.path = path;
  return undefined;
}

function findRoute(context: RequestContext, graph: SiteGraph): PorticoError | undefined {
  const found = graph.sites.find(context);
  if (found instanceof PorticoError) return found;
  context.route = found;
  return undefined;
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
