import { EngineCore } from './engine-core.ts';
import { FieldNames } from './field-names.ts';
import { HostNames } from './host-names.ts';
import { Http1ResponseHeads } from './http1-response-head.ts';
import { Http2ResponseFields } from './http2-response-fields.ts';

/** A connection of whatever version of HTTP. */
export interface NodeConnection {
  /** Whether something was written that has not left the process. */
  readonly isWriting: boolean;
  /** Takes no more requests behind those under way, where the protocol can say so. */
  drain?(): void;
  destroy(): void;
}

/** What the connections of an engine on node sockets share. */
export class NodeEngineCore extends EngineCore {
  readonly names = new FieldNames();
  readonly hosts = new HostNames();
  readonly heads = new Http1ResponseHeads();
  readonly fields = new Http2ResponseFields();
  readonly connections = new Set<NodeConnection>();

  get requestHeadMs(): number {
    return this.timeouts.requestHeadMs ?? 10_000;
  }

  get keepAliveMs(): number {
    return this.timeouts.keepAliveMs ?? 75_000;
  }

  get requestsPerConnection(): number {
    return this.timeouts.requestsPerConnection ?? Number.POSITIVE_INFINITY;
  }

  get http2Streams(): number {
    return this.timeouts.http2Streams ?? 128;
  }

  get http2Resets(): number {
    return this.timeouts.http2Resets ?? 40;
  }

  get requestHeadBytes(): number {
    return this.timeouts.requestHeadBytes ?? 32 * 1024;
  }
}
