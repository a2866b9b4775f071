import type { CacheControl, PurgeReport } from '../admin/cache-api.ts';
import type { CacheExplanation } from '../cache/cache-explanation.ts';
import type { CacheKeyRules } from '../cache/cache-rules.ts';
import { type PurgeWish, requestsFor, type ZoneKeys } from '../cache/purge-targets.ts';
import type { Config } from '../config/config.ts';
import type { ToPrimary, ToWorker } from '../ipc/message.ts';
import type { CachePurges } from './cache-purges.ts';

/** A worker that can be asked. */
export interface CacheWorker {
  readonly state: string;
  send(message: ToWorker): boolean;
}

export interface CacheDeskOptions {
  readonly purges: CachePurges;
  readonly config: () => Config;
  readonly workers: () => readonly CacheWorker[];
}

const explainTimeoutMs = 5000;

/** Between the admin listener and what keeps the cache: finds out what people mean, and asks a worker what it knows. */
export class CacheDesk implements CacheControl {
  private readonly options: CacheDeskOptions;
  private readonly asked = new Map<number, (explanation: CacheExplanation | string) => void>();
  private nextId = 1;

  constructor(options: CacheDeskOptions) {
    this.options = options;
  }

  readonly purge = async (wish: PurgeWish): Promise<PurgeReport> => {
    const requests = requestsFor(wish, zoneKeys(this.options.config()));
    const { orders, confirmed, silent, obeyedMs, notKept } = await this.options.purges.purge(requests);
    const milliseconds = Math.round(obeyedMs * 10) / 10;
    const report = { orders, workers: confirmed, silent, milliseconds };
    if (notKept === undefined) return report;
    return { ...report, warning: `the orders would not outlive a restart: ${notKept}` };
  };

  readonly explain = (url: string, fields: readonly string[]): Promise<CacheExplanation | string> => {
    const id = this.nextId++;
    return new Promise((resolve) => {
      const settle = (explanation: CacheExplanation | string): void => {
        clearTimeout(timer);
        this.asked.delete(id);
        resolve(explanation);
      };
      const timer = setTimeout(() => settle('the worker did not answer in time'), explainTimeoutMs);
      this.asked.set(id, settle);
      const worker = this.options.workers().find(({ state }) => state === 'serving');
      if (worker?.send({ type: 'cache-explain', id, url, fields }) !== true) settle('no worker serves');
    });
  };

  explained({ id, explanation }: Extract<ToPrimary, { type: 'cache-explained' }>): void {
    this.asked.get(id)?.(explanation);
  }

  /** A worker wants something purged on behalf of a client. */
  wanted(worker: CacheWorker, message: Extract<ToPrimary, { type: 'cache-purge-wanted' }>): void {
    const { id, requests, time } = message;
    void this.options.purges.purge(requests, time).then(({ silent }) => {
      if (id === undefined) return;
      const error = silent === 0 ? {} : { error: `${silent} workers did not confirm in time` };
      worker.send({ type: 'cache-purge-done', id, ...error });
    });
  }
}

/** The zones there are, with every way in which their routes make keys. */
export function zoneKeys({ caches, sites }: Pick<Config, 'caches' | 'sites'>): ZoneKeys {
  const zones = new Map<string, Map<string, CacheKeyRules>>(Object.keys(caches).map((name) => [name, new Map()]));
  for (const { cache } of sites.flatMap(({ routes }) => routes)) {
    if (cache !== undefined) zones.get(cache.zone)?.set(JSON.stringify(cache.key), cache.key);
  }
  return new Map([...zones].map(([name, ways]) => [name, [...ways.values()]]));
}
