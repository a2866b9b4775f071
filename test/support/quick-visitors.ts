import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { httpGet } from './http-get.ts';

/** What visitors have met. */
export interface Visits {
  /** Milliseconds of each request that was answered rightly, shortest first. */
  readonly taken: readonly number[];
  readonly failures: readonly string[];
}

/** Some visitors who want small things, each on a connection of its own for each of them, until they are told to stop. */
export class QuickVisitors {
  readonly #port: number;
  readonly #pages: Readonly<Record<string, string>>;
  readonly #agent = new Agent({ keepAlive: false });
  readonly #taken: number[] = [];
  readonly #failures: string[] = [];
  readonly #visitors: readonly Promise<void>[];
  #stopped = false;

  /** @param pages path and what it must answer */
  constructor(port: number, pages: Readonly<Record<string, string>>, visitors = 4) {
    this.#port = port;
    this.#pages = pages;
    this.#visitors = Array.from({ length: visitors }, () => this.#visit());
  }

  async stop(): Promise<Visits> {
    this.#stopped = true;
    await Promise.all(this.#visitors);
    this.#agent.destroy();
    return { taken: this.#taken.toSorted((one, other) => one - other), failures: this.#failures };
  }

  async #visit(): Promise<void> {
    while (!this.#stopped) {
      for (const [path, body] of Object.entries(this.#pages)) {
        const startedAt = performance.now();
        const failure = await httpGet(this.#port, path, this.#agent).then(
          (answer) => (answer.body === body ? undefined : `${path}: ${answer.status}`),
          (error: unknown) => `${path}: ${String(error)}`,
        );
        if (failure === undefined) this.#taken.push(performance.now() - startedAt);
        else this.#failures.push(failure);
        await delay(10);
      }
    }
  }
}

/** Of numbers in order. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
