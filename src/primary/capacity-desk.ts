import type { CapacityDemand, CapacityOrder, ToWorker } from '../ipc/message.ts';
import { CapacityLedger } from './capacity-ledger.ts';

/** A worker that can be told something. */
export interface CapacityClient {
  send(message: ToWorker): boolean;
}

/** Between the ledger of `maxConnections` and the workers: takes what they say, and tells each in one message what changes for it. */
export class CapacityDesk {
  private readonly clients = new Map<number, CapacityClient>();
  private orders = new Map<number, CapacityOrder[]>();
  private readonly ledger = new CapacityLedger((worker, order) => {
    const orders = this.orders.get(worker);
    if (orders === undefined) this.orders.set(worker, [order]);
    else orders.push(order);
  });

  /** @param workerKey a number that no other worker has or had */
  told(client: CapacityClient, demands: readonly CapacityDemand[], workerKey: number): void {
    this.clients.set(workerKey, client);
    for (const demand of demands) this.ledger.told(workerKey, demand);
    this.deliver();
  }

  died(workerKey: number): void {
    if (!this.clients.delete(workerKey)) return;
    this.ledger.died(workerKey);
    this.deliver();
  }

  /** Two orders for the same server stay two: what is granted adds up, and the later recall counts. */
  private deliver(): void {
    const { orders } = this;
    this.orders = new Map();
    for (const [worker, list] of orders) this.clients.get(worker)?.send({ type: 'capacity', orders: list });
  }
}
