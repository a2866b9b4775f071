import type { Admission } from '../balancer/admission.ts';
import type { RouteAction } from '../config/config.ts';
import type { Recorder } from '../metrics/recorder.ts';
import type { FieldTables } from '../proxy/field-tables.ts';
import type { ProxyHandlerConfig } from '../proxy/proxy-config.ts';
import { RequestHeadWriter } from '../proxy/request-head-writer.ts';
import type { RequestContext } from '../request/request-context.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { IdleClock } from './idle-clock.ts';
import { WebSocketMetrics } from './websocket-metrics.ts';

/** What a route says about its WebSockets: bytes and milliseconds. */
export type WebSocketOptions = Exclude<Extract<RouteAction, { readonly kind: 'proxy' }>['webSocket'], false>;

/** What all WebSockets of a route share. */
export class WebSocketRoute {
  readonly options: WebSocketOptions;
  readonly upstream: Upstream;
  readonly admission: Admission;
  readonly head: RequestHeadWriter;
  readonly clock: IdleClock;
  readonly responseFields: Buffer;
  readonly removedResponseFields: ReadonlySet<string>;
  private readonly recorder: Recorder;
  private metrics: WebSocketMetrics | undefined;

  constructor(
    options: WebSocketOptions,
    config: ProxyHandlerConfig,
    upstream: Upstream,
    admission: Admission,
    recorder: Recorder,
    tables?: FieldTables,
  ) {
    this.options = options;
    this.upstream = upstream;
    this.admission = admission;
    this.head = new RequestHeadWriter(config, tables);
    this.clock = new IdleClock(options.idleTimeout);
    this.responseFields = config.responseFields;
    this.removedResponseFields = config.removedResponseFields;
    this.recorder = recorder;
  }

  /** The metrics of the one route that uses this. */
  metricsOf({ route }: RequestContext): WebSocketMetrics {
    return (this.metrics ??= new WebSocketMetrics(this.recorder, route?.site ?? 'none', route?.name ?? 'none'));
  }
}
