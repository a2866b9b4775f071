import type { CacheReport } from '../cache/store/store-messages.ts';
import type { Config } from '../config/config.ts';
import { CacheDesk } from './cache-desk.ts';
import { CacheKeeper } from './cache-keeper.ts';
import { CacheLocks } from './cache-locks.ts';
import { CachePurges } from './cache-purges.ts';
import type { CacheMessage, WorkerSlot } from './worker-slot.ts';

type CachePurgesOptions = ConstructorParameters<typeof CachePurges>[0];

export interface CacheSupervisionOptions extends Omit<CachePurgesOptions, 'sweeper'> {
  /** The configuration in force. */
  readonly config: () => Config;
  readonly workers: () => readonly WorkerSlot[];
}

/** What the primary does for the response cache: keeps its folders, gives orders to purge, says whose turn it is to fetch. */
export class CacheSupervision {
  readonly purges: CachePurges;
  readonly desk: CacheDesk;
  private readonly keeper: CacheKeeper;
  private readonly locks = new CacheLocks();

  constructor({ config, workers, ...resources }: CacheSupervisionOptions) {
    this.purges = new CachePurges({
      ...resources,
      sweeper: { sweep: (zone, orders) => this.keeper.sweep(zone, orders) },
    });
    this.keeper = new CacheKeeper({ ...resources, folderOwner: this.purges });
    this.desk = new CacheDesk({ purges: this.purges, config, workers });
  }

  configure({ caches }: Config): void {
    const zones = Object.values(caches);
    this.purges.configure(zones.map(({ name, directory }) => ({ name, onDisk: directory !== undefined })));
    this.keeper.configure(zones);
  }

  joined(slot: WorkerSlot, workerKey: number): void {
    this.keeper.joined(workerKey, slot);
  }

  kept(reports: readonly CacheReport[], workerKey: number): void {
    this.keeper.told(workerKey, reports);
  }

  said(slot: WorkerSlot, message: CacheMessage): void {
    if (message.type === 'cache-purged') this.purges.confirmed(slot, message.round);
    else if (message.type === 'cache-lock') this.locks.told(slot, message.id, message.call, slot.workerKey);
    else if (message.type === 'cache-explained') this.desk.explained(message);
    else this.desk.wanted(slot, message);
  }

  died(slot: WorkerSlot, workerKey: number): void {
    this.purges.died(slot);
    this.keeper.died(workerKey);
    this.locks.died(workerKey);
  }

  async close(): Promise<void> {
    await this.purges.close();
    this.keeper.close();
  }
}
