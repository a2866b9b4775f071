import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { TestContext } from 'node:test';
import type { ZoneConfig } from '../../src/cache/store/zone-config.ts';
import type { ToPrimary, ToWorker } from '../../src/ipc/message.ts';
import { CacheKeeper } from '../../src/primary/cache-keeper.ts';
import { CacheLocks } from '../../src/primary/cache-locks.ts';
import type { Worker } from '../../src/worker/worker.ts';
import { FakeRecorder } from './fake-recorder.ts';
import { RecordingLogger } from './recording-logger.ts';

/** What the primary keeps of a cache, for workers in the process of the test: a folder, its keeper, and the locks. */
export class SharedCache {
  readonly directory = mkdtempSync(`${tmpdir()}/portico-cache-`);
  readonly locks = new CacheLocks();
  private readonly keeper: CacheKeeper;
  private workers = 0;

  constructor(t: Pick<TestContext, 'after'>, zone: Partial<ZoneConfig> = {}) {
    this.keeper = new CacheKeeper({ recorder: new FakeRecorder(), logger: new RecordingLogger(), now: Date.now });
    const mebibyte = 1024 * 1024;
    const sizes = { diskSize: 256 * mebibyte, memorySize: 8 * mebibyte, memoryEntry: 65_536, inactive: 600_000 };
    this.keeper.configure([{ name: 'default', directory: this.directory, ...sizes, ...zone }]);
    t.after(() => {
      this.keeper.close();
      rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
    });
  }

  /** Connects a worker. @returns what takes its messages */
  join(worker: () => Worker): (message: ToPrimary) => void {
    const number = this.workers++;
    const client = {
      send: (message: ToWorker): boolean => {
        // A pipe copies, and delivers later.
        const copy = structuredClone(message);
        setImmediate(() => {
          if (copy.type === 'cache-store') worker().takeCacheOrders(copy.orders);
          else if (copy.type === 'cache-lock') worker().takeCacheLock(copy);
        });
        return true;
      },
    };
    setImmediate(() => this.keeper.joined(number, client));
    return (message) => {
      const copy = structuredClone(message);
      setImmediate(() => {
        if (copy.type === 'cache-store') this.keeper.told(number, copy.reports);
        else if (copy.type === 'cache-lock') this.locks.told(client, copy.id, copy.call, number);
      });
    };
  }
}
