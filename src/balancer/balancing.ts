import type { StickyConfig, UpstreamConfig } from '../config/config.ts';
import type { RequestContext } from '../request/request-context.ts';
import type { BalancedServer, Balancer, Selection } from './balancer.ts';
import { createBalancer } from './create-balancer.ts';
import { StickyCookie } from './sticky-cookie.ts';

/** What became of a request with a sticky session. */
type SessionResult = 'kept' | 'assigned' | 'moved';

/** How the servers of an upstream are chosen, as its configuration says: the session's server, or by the balancer. */
export class Balancing<S extends BalancedServer> implements Balancer<S> {
  private readonly counted: ((result: SessionResult) => void) | undefined;
  private balance: UpstreamConfig['balance'] | undefined;
  private stickiness: StickyConfig | undefined;
  private balancer: Balancer<S>;
  private sticky: StickyCookie<S> | undefined;

  /** @param counted is told what became of requests with sessions */
  constructor(config: UpstreamConfig, counted?: (result: SessionResult) => void) {
    this.counted = counted;
    this.balancer = createBalancer<S>(config.balance);
    this.configure(config);
  }

  /** Takes a new configuration; what balancers remember stays where nothing changes for them. */
  configure({ name, balance, sticky }: UpstreamConfig): void {
    if (JSON.stringify(balance) !== JSON.stringify(this.balance)) this.balancer = createBalancer<S>(balance);
    if (JSON.stringify(sticky) !== JSON.stringify(this.stickiness)) {
      this.sticky = sticky === undefined ? undefined : new StickyCookie<S>(sticky, name);
    }
    this.balance = balance;
    this.stickiness = sticky;
  }

  /** Whether there are sticky sessions. */
  get sticks(): boolean {
    return this.sticky !== undefined;
  }

  pick(servers: readonly S[], now: number, selection: Selection<S>): S | undefined {
    const held = this.sticky?.serverOf(selection.context, servers);
    if (held?.mayKeep(now) === true && !held.saturated && selection.tried?.includes(held) !== true) {
      this.counted?.('kept');
      return held;
    }
    return this.balancer.pick(servers, now, selection);
  }

  /**
   * The line that the response to a request gets, so that the client comes back to the same server: a line break and
   * `Set-Cookie: …`; undefined for none.
   */
  sessionLine(context: RequestContext, servers: readonly S[], now: number): string | undefined {
    const server = context.upstream?.server;
    if (this.sticky === undefined || server === undefined) return undefined;
    const line = this.sticky.line(context, server, servers, now);
    if (line !== undefined) this.counted?.(this.sticky.serverOf(context, servers) === undefined ? 'assigned' : 'moved');
    return line;
  }
}
