import type { Gauge } from '../metrics/recorder.ts';
import type { Server } from '../upstream/server.ts';
import type { ServerCapacity } from './server-capacity.ts';

/** Keeps one server at its `maxConnections`: counts the requests of this worker against the leases that it has. */
export class ServerLimit {
  private readonly server: Server;
  private readonly capacity: ServerCapacity;
  private readonly leases: Gauge;
  private enforced = false;
  /** Requests under way that came before there was a limit. */
  private unleased = 0;
  private leased = 0;

  /** @param onRoom called when a request may go to the server that might not before */
  constructor(server: Server, capacity: ServerCapacity, leases: Gauge, onRoom: () => void) {
    this.server = server;
    this.capacity = capacity;
    this.leases = leases;
    capacity.onChange = () => {
      this.refresh();
      if (this.enforced && capacity.isFree) onRoom();
    };
  }

  /** Takes `maxConnections`; undefined when there is no bound any more. */
  configure(maxConnections: number | undefined): void {
    if (maxConnections !== undefined) {
      if (!this.enforced) this.unleased = this.server.active - this.leased;
      this.capacity.configure(maxConnections);
    }
    this.enforced = maxConnections !== undefined;
    this.refresh();
  }

  take(): void {
    if (!this.enforced) return;
    this.leased++;
    this.capacity.take();
    this.refresh();
  }

  giveBack(): void {
    if (this.unleased > 0) this.unleased--;
    else if (this.leased > 0) {
      this.leased--;
      this.capacity.giveBack();
    }
    this.refresh();
  }

  /** So many requests wait for this server or another one. */
  want(waiting: number): void {
    if (this.enforced) this.capacity.want(waiting);
  }

  /** The server is not of the upstream any more: its leases go back as its requests end. */
  retire(): void {
    this.capacity.want(0);
    this.leases.set(Number.NaN);
  }

  private refresh(): void {
    this.server.saturated = this.enforced && !this.capacity.isFree;
    this.leases.set(this.enforced ? this.capacity.held : Number.NaN);
  }
}
