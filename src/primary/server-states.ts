import type { Config } from '../config/config.ts';
import type { ServerStateOrder } from '../ipc/message.ts';

/** What the operator has said of servers while the program runs. It outlives workers and reloads, not the program. */
export class ServerStates {
  private readonly orders = new Map<string, ServerStateOrder>();

  /** All that counts instead of the configuration, for a worker that starts. */
  get list(): ServerStateOrder[] {
    return [...this.orders.values()];
  }

  /** What was said of that server; undefined when the configuration counts. */
  of(upstream: string, server: string): ServerStateOrder['state'] | undefined {
    return this.orders.get(keyOf(upstream, server))?.state;
  }

  /** Keeps an order; `configured` takes back what was said before. */
  set(order: ServerStateOrder): void {
    const key = keyOf(order.upstream, order.server);
    if (order.state === 'configured') this.orders.delete(key);
    else this.orders.set(key, order);
  }

  /**
   * Forgets servers that are not in the configuration any more: one that comes back some day is another. Those that a name
   * stands for stay for as long as their upstream has names.
   */
  keepOnly(upstreams: Config['upstreams']): void {
    for (const [key, { upstream, server }] of this.orders) {
      if (isConfigured(upstreams, upstream, server) || hasNames(upstreams, upstream)) continue;
      this.orders.delete(key);
    }
  }
}

/** Whether the configuration has a server of that name. */
export function isConfigured(upstreams: Config['upstreams'], upstream: string, server: string): boolean {
  return (
    Object.hasOwn(upstreams, upstream) && upstreams[upstream]?.servers.some(({ name }) => name === server) === true
  );
}

function hasNames(upstreams: Config['upstreams'], upstream: string): boolean {
  return Object.hasOwn(upstreams, upstream) && (upstreams[upstream]?.discovered.length ?? 0) > 0;
}

function keyOf(upstream: string, server: string): string {
  return JSON.stringify([upstream, server]);
}
