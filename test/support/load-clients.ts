import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { httpGet } from './http-get.ts';

/** What came of one client's requests so far. */
export interface ClientRecord {
  answered: number;
  failed: number;
}

/** Clients that each send one request after the other over one kept-alive connection, until they are stopped. */
export class LoadClients {
  readonly records: readonly ClientRecord[];
  private readonly running: Promise<unknown>;
  private stopping = false;

  constructor(count: number, port: number, path: string) {
    this.records = Array.from({ length: count }, () => ({ answered: 0, failed: 0 }));
    this.running = Promise.all(this.records.map((record) => this.run(record, port, path)));
  }

  get answered(): number {
    return this.records.reduce((sum, record) => sum + record.answered, 0);
  }

  get failed(): number {
    return this.records.reduce((sum, record) => sum + record.failed, 0);
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
  }

  private async run(record: ClientRecord, port: number, path: string): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!this.stopping) {
      try {
        const { status } = await httpGet(port, path, agent);
        if (status === 200) record.answered++;
        else record.failed++;
      } catch {
        record.failed++;
        // A connection made while the other process is being torn down would fall into its last accept queue.
        await delay(50);
      }
      // The other processes of this machine are to have their turn too.
      await delay(1);
    }
    agent.destroy();
  }
}
