import { Admission } from '../balancer/admission.ts';
import type { UpstreamConfig } from '../config/config.ts';
import type { ServerState } from '../ipc/message.ts';
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
    }
    return entry;
  }

  /** Brings every upstream to the new configuration and lets go of those that are not in it any more. */
  applyConfig(configs: Readonly<Record<string, UpstreamConfig>>): void {
    for (const [name, { upstream, admission }] of this.byName) {
      const config = configs[name];
      if (config !== undefined) {
        upstream.reconfigure(config);
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
