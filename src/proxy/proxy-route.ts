import type { Balancer } from '../balancer/balancer.ts';
import { createBalancer } from '../balancer/create-balancer.ts';
import { FieldNameTable } from '../upstream/field-name-table.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { ProxyHandlerConfig } from './proxy-config.ts';
import { RequestHeadWriter } from './request-head-writer.ts';

/** What all requests of a proxy route share; worked out once. */
export class ProxyRoute {
  readonly upstream: Upstream;
  readonly head: RequestHeadWriter;
  /** What is done with each field of a response. */
  readonly responseNames: FieldNameTable;
  readonly responseFields: Buffer;
  /** Whether responses get an X-Request-Id when they have none: not where the route says something about it. */
  readonly addsRequestId: boolean;
  private chosen: Balancer;
  private chosenName: Upstream['balance'];

  constructor(config: ProxyHandlerConfig, upstream: Upstream) {
    this.upstream = upstream;
    this.head = new RequestHeadWriter(config);
    this.responseNames = new FieldNameTable(config.removedResponseFields);
    this.responseFields = config.responseFields;
    this.addsRequestId = !config.removedResponseFields.has('x-request-id');
    this.chosenName = upstream.balance;
    this.chosen = createBalancer(upstream.balance);
  }

  /** The upstream may get another one after the route was made. */
  get balancer(): Balancer {
    if (this.chosenName !== this.upstream.balance) {
      this.chosenName = this.upstream.balance;
      this.chosen = createBalancer(this.chosenName);
    }
    return this.chosen;
  }
}
