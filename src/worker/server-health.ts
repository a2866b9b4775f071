import type { UpstreamConfig } from '../config/config.ts';
import type { HealthReport, ServerHealth } from '../ipc/message.ts';
import type { Upstream } from '../upstream/upstream.ts';

/** What the primary's checks found, kept for servers that come later. */
export class ServerHealthBook {
  private readonly found = new Map<string, ServerHealth>();

  take({ complete, servers }: HealthReport): void {
    if (complete) this.found.clear();
    for (const server of servers) this.found.set(keyOf(server.upstream, server.server), server);
  }

  /** Tells the servers of an upstream what was found of them, or what `startAs` says as long as nothing was. */
  apply(upstream: Upstream, { health }: Pick<UpstreamConfig, 'health'>): void {
    for (const server of upstream.servers) {
      const known = server.availability.health;
      const found = this.found.get(keyOf(upstream.name, server.name));
      if (health === undefined) {
        if (known === false) server.setHealth(true);
      } else if (found !== undefined) {
        if (known !== found.up) server.setHealth(found.up, found.reason);
      } else if (known === undefined && health.startAs === 'down') {
        server.setHealth(false, 'health check: not checked yet');
      }
    }
  }
}

function keyOf(upstream: string, server: string): string {
  return JSON.stringify([upstream, server]);
}
