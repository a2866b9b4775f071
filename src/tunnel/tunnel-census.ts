import type { Place } from '../request/request-context.ts';

/** How many tunnels each route has, here in this worker. Outlives reloads, as tunnels do. */
export class TunnelCensus {
  readonly #counts = new Map<string, number>();

  /**
   * Counts one more.
   * @returns what gives the place back, once; undefined when there are as many as there may be
   */
  take(site: string, route: string, max: number): Place | undefined {
    const key = JSON.stringify([site, route]);
    const count = this.#counts.get(key) ?? 0;
    if (count >= max) return undefined;
    this.#counts.set(key, count + 1);
    let held = true;
    return {
      release: () => {
        if (!held) return;
        held = false;
        const left = (this.#counts.get(key) ?? 1) - 1;
        if (left === 0) this.#counts.delete(key);
        else this.#counts.set(key, left);
      },
    };
  }
}
