import { performance } from 'node:perf_hooks';
import type { Exchange } from '../listener/exchange.ts';
import type { AccessLog } from '../log/access-log.ts';
import type { Logger } from '../log/logger.ts';
import { metricNames } from '../metrics/names.ts';
import type { Counter, Gauge, Recorder } from '../metrics/recorder.ts';
import type { RequestContext } from '../request/request-context.ts';
import type { ErrorCode } from '../response/error-code.ts';
import type { PorticoError } from '../response/portico-error.ts';
import type { Route } from '../route/route.ts';
import { RouteMetrics } from './route-metrics.ts';

/** Labels of requests that found no route. */
const noRoute = { site: 'none', route: 'none' } as const;
/** What NGINX logs when the client went away before there was a response. */
const clientClosedRequest = 499;

/** Counts and logs each request when it has finished. */
export class RequestObserver {
  private readonly recorder: Recorder;
  private readonly logger: Logger;
  private readonly inFlight: Gauge;
  private readonly unrouted: RouteMetrics;
  private readonly errors = new Map<ErrorCode, Counter>();
  private accessLog: AccessLog | undefined;

  constructor(recorder: Recorder, logger: Logger) {
    this.recorder = recorder;
    this.logger = logger;
    this.inFlight = recorder.gauge(metricNames.httpRequestsInFlight, {});
    this.unrouted = new RouteMetrics(recorder, noRoute.site, noRoute.route);
  }

  /** Lines go to this log from now on; undefined for none. */
  useAccessLog(accessLog: AccessLog | undefined): void {
    this.accessLog = accessLog;
  }

  started(exchange: Exchange): void {
    this.inFlight.add(1);
    // Once the response is complete, nobody can tell any more.
    if (this.accessLog !== undefined) void exchange.connection.remoteAddress;
  }

  /** A request has become a WebSocket or a tunnel, which is none any more: it is counted apart. */
  upgraded(): void {
    this.inFlight.add(-1);
  }

  finished(context: RequestContext): void {
    const { exchange, error, route } = context;
    const now = performance.now();
    const isRequest = context.webSocket === undefined && context.tunnel === undefined;
    if (isRequest) this.inFlight.add(-1);
    const status = exchange.responded ? exchange.status : (error?.status ?? clientClosedRequest);
    const metrics = route === undefined ? this.unrouted : this.metricsOf(route);
    metrics.count(exchange.head.method, status);
    // Hours of an open WebSocket say nothing about how long requests take.
    if (isRequest) {
      metrics.duration.observe((now - context.startedAt) / 1000);
      metrics.sentBytes.add(exchange.bytesSent);
    }
    if (exchange.body.received > 0) metrics.receivedBytes.add(exchange.body.received);
    if (error !== undefined) this.countError(context, error);
    this.accessLog?.write(context, now);
  }

  private metricsOf(route: Route): RouteMetrics {
    const { metrics } = route;
    if (metrics?.recorder === this.recorder) return metrics;
    return (route.metrics = new RouteMetrics(this.recorder, route.site, route.name));
  }

  private countError(context: RequestContext, error: PorticoError): void {
    let counter = this.errors.get(error.code);
    if (counter === undefined) {
      counter = this.recorder.counter(metricNames.httpErrors, { code: error.code });
      this.errors.set(error.code, counter);
    }
    counter.add(1);
    if (error.side === 'client') return;
    const level = error.side === 'internal' ? 'error' : 'warn';
    this.logger[level](error.message, {
      code: error.code,
      requestId: context.requestId,
      route: context.route?.name,
      server: context.upstream?.server,
      ...(error.cause === undefined ? {} : { error: error.cause }),
    });
  }
}
