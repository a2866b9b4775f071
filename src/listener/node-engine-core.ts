import { EngineCore } from './engine-core.ts';
import { FieldNames } from './field-names.ts';
import type { Http1Connection } from './http1-connection.ts';
import { Http1ResponseHeads } from './http1-response-head.ts';

/** What the connections of an engine on node sockets share. */
export class NodeEngineCore extends EngineCore {
  readonly names = new FieldNames();
  readonly heads = new Http1ResponseHeads();
  readonly connections = new Set<Http1Connection>();

  get requestHeadMs(): number {
    return this.timeouts.requestHeadMs ?? 10_000;
  }

  get keepAliveMs(): number {
    return this.timeouts.keepAliveMs ?? 75_000;
  }

  get requestHeadBytes(): number {
    return this.timeouts.requestHeadBytes ?? 32 * 1024;
  }
}
