import type { SampleStore } from './sample-store.ts';
import { atOwnRate } from './tail-latency.ts';

/** Portico's cost at a work, compared with a rival's. */
export interface RatioTarget {
  readonly row: string;
  readonly rival: string;
  /** Largest ratio that counts as met. */
  readonly must: number;
  /** What is aimed at: a ratio, or to cost no more than another server. */
  readonly aim?: number | { readonly server: string };
}

const node = ['http-proxy', 'fastify-http-proxy', 'http-proxy-middleware'];

/** In the order of the table. */
export const ratioTargets: readonly RatioTarget[] = [
  { row: 'static-1k', rival: 'nginx', must: 0.8, aim: { server: 'h2o' } },
  { row: 'not-modified', rival: 'nginx', must: 0.85, aim: 0.7 },
  { row: 'static-100k', rival: 'nginx', must: 0.9, aim: { server: 'h2o' } },
  { row: 'static-10m', rival: 'nginx', must: 1, aim: 0.85 },
  { row: 'proxy-tcp', rival: 'nginx', must: 1.35, aim: 1.1 },
  { row: 'proxy-tcp-10k', rival: 'nginx', must: 1.35, aim: 1.1 },
  { row: 'proxy-unix', rival: 'nginx', must: 1.35, aim: 1.1 },
  { row: 'proxy-post', rival: 'nginx', must: 1.4, aim: 1.1 },
  { row: 'page-view', rival: 'nginx', must: 0.9, aim: 0.8 },
  ...['proxy-tcp', 'proxy-tcp-10k', 'proxy-unix', 'proxy-post'].map((row) => ({
    row,
    rival: 'caddy',
    must: 0.7,
    aim: 0.55,
  })),
  ...node.flatMap((rival) => ['proxy-tcp', 'proxy-tcp-10k'].map((row) => ({ row, rival, must: 0.4, aim: 0.25 }))),
];

/** A figure that must not exceed a bound. */
export interface BoundTarget {
  readonly title: string;
  readonly must: number;
  readonly unit: string;
  readonly digits: number;
  /** The figure; NaN when something for it is missing. */
  readonly find: (store: SampleStore) => number;
  /** What it was made from. */
  readonly from: (store: SampleStore) => string;
}

/** Growth of the cost of a request from one row to another; that of NGINX beside it. */
function growth(title: string, many: string, few: string, must: number): BoundTarget {
  const times = (store: SampleStore, server: string): number => cost(store, many, server) / cost(store, few, server);
  const costs = (store: SampleStore, server: string): string =>
    `${figure(cost(store, few, server), 1)} → ${figure(cost(store, many, server), 1)} µs`;
  return {
    title,
    must,
    unit: '×',
    digits: 2,
    find: (store) => times(store, 'portico'),
    from: (store) => `${costs(store, 'portico')}; NGINX ${costs(store, 'nginx')}, ${figure(times(store, 'nginx'), 2)}×`,
  };
}

function cost(store: SampleStore, row: string, server: string): number {
  return store.median(row, server, 'microsecondsPerUnit');
}

function fileGrowth(store: SampleStore, server: string): number {
  return cost(store, 'many-files', server) / cost(store, 'one-file', server);
}

function latency(title: string, row: string): BoundTarget {
  const p99 = (store: SampleStore, server: string): number => store.median(row, server, 'p99Ms');
  return {
    title: `p99 at half of ${title}: Portico ÷ NGINX`,
    must: 1.5,
    unit: '×',
    digits: 2,
    find: (store) => p99(store, 'portico') / p99(store, 'nginx'),
    from: (store) => {
      const at = (server: string): string =>
        `${figure(p99(store, server), 2)} ms at ${figure(store.median(row, server, 'rate'), 0)}/s`;
      return `${at('portico')} ÷ ${at('nginx')}`;
    },
  };
}

const endurance = (store: SampleStore, name: string): number => store.median('endurance', 'portico', name);

/** In the order of the table; `sizes` are those of the full run, a short one has less of everything. */
export const boundTargets: readonly BoundTarget[] = [
  growth('many connections ÷ 32, all active: static', 'static-many-connections', 'static-few-connections', 1.25),
  growth('many connections ÷ 32, all active: proxy', 'proxy-many-connections', 'proxy-few-connections', 1.25),
  growth('many hosts and routes ÷ one: static', 'static-many-routes', 'static-one-route', 1.1),
  growth('many hosts and routes ÷ one: proxy', 'proxy-many-routes', 'proxy-one-route', 1.1),
  {
    title: 'many different files ÷ one: growth of Portico ÷ growth of NGINX',
    must: 1.3,
    unit: '×',
    digits: 2,
    find: (store) => fileGrowth(store, 'portico') / fileGrowth(store, 'nginx'),
    from: (store) => `${figure(fileGrowth(store, 'portico'), 2)} ÷ ${figure(fileGrowth(store, 'nginx'), 2)}`,
  },
  growth('two workers ÷ one: static', 'static-two-workers', 'static-one-worker', 1 / 0.95),
  growth('two workers ÷ one: proxy', 'proxy-two-workers', 'proxy-one-worker', 1 / 0.95),
  latency('the saturation rate of the slower one, static', 'latency-static'),
  latency('the saturation rate of the slower one, proxy', 'latency-proxy'),
  latency('its own saturation rate, static', atOwnRate('latency-static')),
  latency('its own saturation rate, proxy', atOwnRate('latency-proxy')),
  {
    title: 'longest pause for garbage collection',
    must: 5,
    unit: ' ms',
    digits: 2,
    find: (store) => endurance(store, 'longestPauseMs'),
    from: (store) =>
      `${figure(endurance(store, 'collections'), 0)} pauses, ${figure(endurance(store, 'allPausesMs'), 0)} ms together, in ${figure(endurance(store, 'seconds'), 0)} s`,
  },
  {
    title: 'growth of resident memory after warm-up',
    must: 2,
    unit: ' MB',
    digits: 1,
    find: (store) => (endurance(store, 'lateKilobytes') - endurance(store, 'earlyKilobytes')) / 1024,
    from: (store) =>
      `${figure(endurance(store, 'earlyKilobytes') / 1024, 1)} → ${figure(endurance(store, 'lateKilobytes') / 1024, 1)} MB over ${figure(endurance(store, 'requests') / 1e6, 1)} million requests`,
  },
  {
    title: 'memory of an idle connection',
    must: 2.5,
    unit: ' KB',
    digits: 2,
    find: (store) => store.median('footprint', 'portico', 'connectionKilobytes'),
    from: () => '',
  },
];

/** A number for a reader; a dash for one that there is not. */
export function figure(value: number | undefined, digits: number): string {
  return value === undefined || !Number.isFinite(value) ? '–' : value.toFixed(digits);
}
