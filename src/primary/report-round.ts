import type { WorkerSlot } from './worker-slot.ts';

/** Longest time that a scrape waits for workers that are busy; their last report counts then. */
const stragglerMs = 200;

type Reporter = Pick<WorkerSlot, 'state' | 'send'>;

/** Asks all workers for a report, so that a scrape shows what was counted up to this moment. */
export class ReportRound {
  private readonly workers: () => readonly Reporter[];
  /** Asked, and silent since: not asked again, not waited for again. A stuck worker costs one scrape its patience, once. */
  private readonly owing = new Set<Reporter>();
  private waitingFor = new Set<Reporter>();
  private running: Promise<void> | undefined;
  private finish: (() => void) | undefined;
  private nextId = 1;

  /** @param workers all there are at the moment */
  constructor(workers: () => readonly Reporter[]) {
    this.workers = workers;
  }

  /** Resolves when every worker has answered or died, and after a fifth of a second in any case. Calls share a round. */
  ask(): Promise<void> {
    this.running ??= this.run().finally(() => (this.running = undefined));
    return this.running;
  }

  /** A report came in; `id` when it was asked for. */
  reported(slot: Reporter, id: number | undefined): void {
    if (id === undefined) return;
    this.owing.delete(slot);
    this.settle(slot);
  }

  /** A dead worker is not waited for; the next one in its slot is asked anew. */
  died(slot: Reporter): void {
    this.owing.delete(slot);
    this.settle(slot);
  }

  private async run(): Promise<void> {
    const id = this.nextId++;
    const asked = this.workers().filter(
      // One that has not taken a configuration yet is still loading its code and has nothing to tell.
      (slot) => slot.state !== 'starting' && slot.state !== 'dead' && !this.owing.has(slot),
    );
    this.waitingFor = new Set(asked.filter((slot) => slot.send({ type: 'report', id })));
    if (this.waitingFor.size === 0) return;
    for (const slot of this.waitingFor) this.owing.add(slot);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, stragglerMs);
      this.finish = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.waitingFor.clear();
  }

  private settle(slot: Reporter): void {
    if (this.waitingFor.delete(slot) && this.waitingFor.size === 0) this.finish?.();
  }
}
