import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { httpGet } from './http-get.ts';

/** What came of a load. */
export interface RateLoad {
  readonly passed: number;
  readonly refused: number;
  readonly seconds: number;
  /** The longest that one request took, milliseconds. */
  readonly slowestMs: number;
}

/**
 * Asks as fast as it may for so long, one request at a time over each connection. Rejects on any status but 200 and 429.
 * @param pauses milliseconds between two requests of each connection
 */
export async function rateLoad(port: number, pauses: readonly number[], durationMs: number): Promise<RateLoad> {
  const startedAt = performance.now();
  const count = { passed: 0, refused: 0, slowestMs: 0 };
  const client = async (pauseMs: number): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (performance.now() - startedAt < durationMs) {
      const askedAt = performance.now();
      const { status } = await httpGet(port, '/', agent);
      count.slowestMs = Math.max(count.slowestMs, performance.now() - askedAt);
      if (status === 200) count.passed += 1;
      else if (status === 429) count.refused += 1;
      else throw new Error(`status ${status}`);
      await delay(pauseMs);
    }
    agent.destroy();
  };
  await Promise.all(pauses.map(client));
  return { ...count, seconds: (performance.now() - startedAt) / 1000 };
}
