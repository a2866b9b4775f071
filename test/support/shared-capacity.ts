import type { ToPrimary, ToWorker } from '../../src/ipc/message.ts';
import { CapacityDesk } from '../../src/primary/capacity-desk.ts';
import { CapacityLeases } from '../../src/worker/capacity-leases.ts';

/** The capacity of servers as several workers share it through a primary, all within the process of the test. */
export class SharedCapacity {
  private readonly desk = new CapacityDesk();
  private workers = 0;

  /** What one more worker has of it. Messages take a turn of the event loop each way, as between processes. */
  worker(): CapacityLeases {
    const leases: CapacityLeases = new CapacityLeases((demands) => answer({ type: 'capacity', demands }));
    const answer = this.primaryOf((orders) => leases.receive(orders));
    return leases;
  }

  /** The primary of one more worker, as far as capacity goes: takes its messages and answers them. */
  primaryOf(receive: CapacityLeases['receive']): (message: ToPrimary) => void {
    const key = this.workers++;
    const send = (message: ToWorker): boolean => {
      if (message.type === 'capacity') setImmediate(() => receive(message.orders));
      return true;
    };
    return (message) => {
      if (message.type === 'capacity') setImmediate(() => this.desk.told({ send }, message.demands, key));
    };
  }

  /** The worker made as that one is gone, counted from 0. */
  died(worker: number): void {
    this.desk.died(worker);
  }
}
