import type { Admission } from '../balancer/admission.ts';
import type { BufferingConfig } from '../config/buffering-defaults.ts';
import type { FieldNameTable } from '../upstream/field-name-table.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { BufferingResources, RouteBuffering } from './buffering.ts';
import { directiveNames } from './directives.ts';
import { FieldTables } from './field-tables.ts';
import type { ProxyHandlerConfig } from './proxy-config.ts';
import { RequestHeadWriter } from './request-head-writer.ts';
import type { ResponseInterceptor } from './response-interceptor.ts';

/** What all requests of a proxy route share; worked out once. */
export class ProxyRoute {
  readonly upstream: Upstream;
  readonly admission: Admission;
  readonly head: RequestHeadWriter;
  /** What is done with each field of a response. */
  readonly responseNames: FieldNameTable;
  readonly responseFields: Buffer;
  /** Whether responses get an X-Request-Id when they have none: not where the route says something about it. */
  readonly addsRequestId: boolean;
  /** Whether a request that was sent is finished when its client goes away. */
  readonly finishesAbandoned: boolean;
  /** Looks at each response before it is passed on. */
  readonly responseInterceptor: ResponseInterceptor | undefined;

  /** Undefined: everything is passed on as it comes. */
  readonly buffering: RouteBuffering | undefined;

  constructor(
    config: ProxyHandlerConfig,
    upstream: Upstream,
    admission: Admission,
    interceptor?: ResponseInterceptor,
    buffering?: BufferingResources,
    tables: FieldTables = new FieldTables(),
  ) {
    this.upstream = upstream;
    this.buffering = buffering === undefined ? undefined : routeBuffering(config.buffering, buffering);
    this.admission = admission;
    this.head = new RequestHeadWriter(config, tables);
    this.responseNames = tables.responseNames(config.removedResponseFields, [
      ...directiveNames,
      ...(config.handedOverFields ?? []),
    ]);
    this.responseFields = config.responseFields;
    this.responseInterceptor = interceptor;
    this.finishesAbandoned = config.onClientAbort === 'finish';
    this.addsRequestId = !config.removedResponseFields.has('x-request-id');
  }
}

/** Named one by one, as in `compileRoute`. */
function routeBuffering(config: BufferingConfig, resources: BufferingResources): RouteBuffering {
  const { request, response, requestMemory, responseMemory, responseMax } = config;
  const { spool, memory, requests, responses } = resources;
  return { request, response, requestMemory, responseMemory, responseMax, spool, memory, requests, responses };
}
