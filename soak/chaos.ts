import { setTimeout as delay } from 'node:timers/promises';
import type { GunicornInstance } from './gunicorn-instance.ts';
import type { PorticoUnderTest } from './portico.ts';

/** Something that was done to the system while it was under load. */
export interface Incident {
  readonly what: string;
  /** Milliseconds since the beginning. */
  readonly beganMs: number;
  readonly endedMs: number;
  /** Why it could not be done. */
  readonly error?: string;
}

interface Step {
  /** When: a part of the whole time, 0 to 1. */
  readonly at: number;
  readonly what: string;
  readonly run: () => Promise<void> | void;
}

export const workerKill = 'kill -9 of a worker of Portico';
const fullSeconds = 600;

/** What the system goes through: in ten minutes 20 reloads and 5 rolls, fewer in a shorter run. */
export class Chaos {
  readonly incidents: Incident[] = [];
  readonly reloads: number;
  readonly rolls: number;
  private readonly portico: PorticoUnderTest;
  private readonly instances: readonly [GunicornInstance, GunicornInstance];

  constructor(portico: PorticoUnderTest, instances: readonly [GunicornInstance, GunicornInstance], seconds: number) {
    const part = Math.min(1, seconds / fullSeconds);
    this.reloads = Math.max(3, Math.round(20 * part));
    this.rolls = Math.max(1, Math.round(5 * part));
    this.portico = portico;
    this.instances = instances;
  }

  /** Does everything in its time; what takes longer than expected moves the rest. */
  async run(seconds: number): Promise<void> {
    const begin = performance.now();
    for (const { at, what, run } of this.plan()) {
      await delay(Math.max(0, at * seconds * 1000 - (performance.now() - begin)));
      const beganMs = performance.now() - begin;
      let error: string | undefined;
      try {
        await run();
      } catch (cause) {
        error = cause instanceof Error ? cause.message : String(cause);
      }
      const endedMs = performance.now() - begin;
      this.incidents.push({ what, beganMs, endedMs, ...(error === undefined ? {} : { error }) });
    }
    await delay(Math.max(0, seconds * 1000 - (performance.now() - begin)));
  }

  private plan(): Step[] {
    const { portico } = this;
    const [a, b] = this.instances;
    const steps: Step[] = [
      { at: 0.06, what: `kill -9 of Gunicorn ${a.name}`, run: () => a.kill() },
      { at: 0.1, what: `start of Gunicorn ${a.name}`, run: () => a.start() },
      { at: 0.14, what: `kill -9 of Gunicorn ${b.name}`, run: () => b.kill() },
      { at: 0.18, what: `start of Gunicorn ${b.name}`, run: () => b.start() },
      { at: 0.7, what: workerKill, run: () => portico.killOneWorker() },
    ];
    for (const at of [0.24, 0.54, 0.86]) {
      const restart = async (): Promise<void> => void (await Promise.all([a.restart(), b.restart()]));
      steps.push({ at, what: 'restart of both Gunicorns at once', run: restart });
    }
    for (let index = 0; index < this.reloads; index++) {
      steps.push({ at: 0.03 + (0.92 * index) / this.reloads, what: 'reload', run: () => portico.reload() });
    }
    for (let index = 0; index < this.rolls; index++) {
      steps.push({ at: 0.3 + (0.6 * index) / this.rolls, what: 'rolling replacement', run: () => portico.roll() });
    }
    return steps.toSorted((one, other) => one.at - other.at);
  }
}
