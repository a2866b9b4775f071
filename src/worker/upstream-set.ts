import { Admission } from '../balancer/admission.ts';
import type { UpstreamConfig } from '../config/config.ts';
import type { ServerState, ServerStateOrder } from '../ipc/message.ts';
import type { Recorder } from '../metrics/recorder.ts';
import { Upstream } from '../upstream/upstream.ts';

/** An upstream and the gate in front of it. */
export interface UpstreamEntry {
  readonly upstream: Upstream;
  readonly admission: Admission;
}

/** The upstreams of a worker by name; they and their connections outlive reloads. */
export class UpstreamSet {
  private readonly recorder: Recorder;
  private readonly byName = new Map<string, UpstreamEntry>();
  private readonly orders = new Map<string, ServerStateOrder>();

  constructor(recorder: Recorder) {
    this.recorder = recorder;
  }

  /** The upstream of that configuration: made when it is new, otherwise changed by `applyConfig`. */
  get(config: UpstreamConfig): UpstreamEntry {
    let entry = this.byName.get(config.name);
    if (entry === undefined) {
      const upstream = new Upstream(config, this.recorder);
      entry = { upstream, admission: new Admission(upstream) };
      this.byName.set(config.name, entry);
      for (const order of this.orders.values()) obey(upstream, order);
    }
    return entry;
  }

  /** Takes what the operator says of a server, and says it again of one that comes later. */
  setServerState(order: ServerStateOrder): void {
    this.orders.set(`${order.upstream} ${order.server}`, order);
    const entry = this.byName.get(order.upstream);
    if (entry !== undefined) obey(entry.upstream, order);
  }

  /** Brings every upstream to the new configuration and lets go of those that are not in it any more. */
  applyConfig(configs: Readonly<Record<string, UpstreamConfig>>): void {
    for (const [name, { upstream, admission }] of this.byName) {
      const config = configs[name];
      if (config !== undefined) {
        upstream.reconfigure(config);
        for (const order of this.orders.values()) obey(upstream, order);
        admission.reconfigure();
      } else {
        upstream.close();
        this.byName.delete(name);
      }
    }
  }

  states(): ServerState[] {
    return [...this.byName.values()].flatMap(({ upstream }) => upstream.states());
  }

  close(): void {
    for (const { upstream } of this.byName.values()) upstream.close();
    this.byName.clear();
  }
}

function obey(upstream: Upstream, order: ServerStateOrder): void {
  if (order.upstream !== upstream.name) return;
  for (const server of upstream.servers) {
    if (server.name === order.server) server.setState(order.state === 'configured' ? undefined : order.state);
  }
}
