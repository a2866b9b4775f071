import type { RouteAction } from '../config/config.ts';
import type { Recorder } from '../metrics/recorder.ts';
import type { Place, RequestContext } from '../request/request-context.ts';
import type { Connection } from '../upstream/connection.ts';
import type { TunnelCensus } from './tunnel-census.ts';
import { TunnelMetrics } from './tunnel-metrics.ts';
import { TunnelRelay } from './tunnel-relay.ts';
import type { UpgradePlan } from './upgrade-plan.ts';

/** What a route says about other protocols: which, how many, and milliseconds. */
export type UpgradeOptions = Exclude<Extract<RouteAction, { readonly kind: 'proxy' }>['upgrade'], false>;

/** What all tunnels of a route share. */
export class TunnelRoute {
  readonly options: UpgradeOptions;
  private readonly names: ReadonlySet<string>;
  private readonly census: TunnelCensus;
  private readonly recorder: Recorder;
  private metrics: TunnelMetrics | undefined;

  constructor(options: UpgradeOptions, census: TunnelCensus, recorder: Recorder) {
    this.options = options;
    this.names = new Set(options.protocols.map((protocol) => protocol.toLowerCase()));
    this.census = census;
    this.recorder = recorder;
  }

  /** What of the protocols that a client asks for may be passed on; undefined for nothing. */
  plan(asked: readonly string[]): UpgradePlan | undefined {
    const protocols = new Map<string, string>();
    for (const protocol of asked) {
      const name = protocol.toLowerCase();
      if (this.names.has(name) && !protocols.has(name)) protocols.set(name, protocol);
    }
    if (protocols.size === 0) return undefined;
    return { protocols: [...protocols.values()], names: [...protocols.keys()], route: this };
  }

  /** A place for one more tunnel; undefined when there are as many as there may be. */
  takePlace({ route }: RequestContext): Place | undefined {
    return this.census.take(route?.site ?? 'none', route?.name ?? 'none', this.options.maxOpen);
  }

  /**
   * A tunnel to the server on that connection.
   * @param released called once, when the connection is not needed any more
   */
  relay(context: RequestContext, connection: Connection, released: () => void): TunnelRelay {
    const { route } = context;
    this.metrics ??= new TunnelMetrics(this.recorder, route?.site ?? 'none', route?.name ?? 'none');
    return new TunnelRelay(this.options.idleTimeout, this.metrics, context, connection, released);
  }
}
