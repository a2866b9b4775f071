import type { Contender } from './contender.ts';
import { routedTargets } from './portico.ts';
import { requestList } from './request-list.ts';
import type { Variant } from './variant.ts';
import { type Work, work, works } from './work.ts';
import { manyFilePaths } from './work-folder.ts';

/** How large "many" is. */
export interface Sizes {
  readonly connections: number;
  readonly routing: NonNullable<Variant['routing']>;
  readonly files: number;
}

/** One cell of the results: a server, as this variant, doing this work. */
export interface Case {
  /** Names the row of the results. */
  readonly row: string;
  readonly title: string;
  readonly work: Work;
  readonly contender: Contender;
  readonly variant: Variant;
}

/** Cases whose servers run at the same time. Servers that are idle cost no CPU. */
export interface Stage {
  readonly name: string;
  readonly title: string;
  readonly cases: readonly Case[];
  /** Servers live through all rounds, because they take long to warm up: seconds of load before the first round. */
  readonly warmUpOnceSeconds?: number;
}

/** Everything whose cost a request is measured, in the order in which it is done. */
export function planStages(contenders: readonly Contender[], sizes: Sizes, quick: boolean): readonly Stage[] {
  const named = (...names: string[]): Contender[] => contenders.filter((one) => names.includes(one.name));
  return [
    { name: 'plain', title: 'plain requests', cases: plainCases(contenders) },
    { name: 'logged', title: 'with the access log on', cases: loggedCases(named('portico', 'nginx')) },
    { name: 'connections', title: 'many connections', cases: connectionCases(named('portico', 'nginx'), sizes) },
    { name: 'routes', title: 'many hosts and routes', cases: routeCases(named('portico', 'nginx'), sizes) },
    { name: 'workers', title: 'two workers', cases: workerCases(named('portico', 'nginx')) },
    {
      name: 'files',
      title: 'many files',
      cases: fileCases(named('portico', 'nginx'), sizes),
      // Until all files are in memory.
      warmUpOnceSeconds: quick ? 0.3 : 15,
    },
  ];
}

/** Works that the proxies from npm do: two of them tell what there is to tell. */
const nodeWorks = new Set(['proxy-tcp', 'proxy-tcp-10k']);
const debianServers = new Set(['portico', 'nginx', 'h2o', 'haproxy', 'caddy']);

function plainCases(contenders: readonly Contender[]): Case[] {
  return works.flatMap((one) =>
    contenders
      .filter((contender) => contender.servesFiles || !one.needsFiles)
      .filter((contender) => debianServers.has(contender.name) || nodeWorks.has(one.name))
      .map((contender) => ({ row: one.name, title: one.title, work: one, contender, variant: {} })),
  );
}

function loggedCases(contenders: readonly Contender[]): Case[] {
  const variant = { accessLog: true };
  return works.flatMap((work) =>
    contenders.map((contender) => ({ row: `${work.name}-logged`, title: work.title, work, contender, variant })),
  );
}

/** A static and a proxied request, once with few and once with many of something. */
function pairs(
  name: string,
  title: string,
  make: (kind: 'static' | 'proxy') => Work,
): Omit<Case, 'contender' | 'variant'>[] {
  return (['static', 'proxy'] as const).map((kind) => ({
    row: `${kind}-${name}`,
    title: `${kind} request, ${title}`,
    work: make(kind),
  }));
}

const paths = { static: '/1k.html', proxy: '/tcp/128' };

function connectionCases(contenders: readonly Contender[], sizes: Sizes): Case[] {
  const of = (name: string, connections: number): Omit<Case, 'contender' | 'variant'>[] =>
    // Longer, because opening all the connections is part of it.
    pairs(name, `${connections} connections`, (kind) =>
      work(name, name, paths[kind], { connections, lengthFactor: connections > 32 ? 3 : 1 }),
    );
  const rows = [...of('few-connections', 32), ...of('many-connections', sizes.connections)];
  // Else each request beyond the 64th in flight would open a connection of its own, whoever proxies it.
  const variant = { idleUpstreamConnections: sizes.connections };
  return rows.flatMap((row) => contenders.map((contender) => ({ ...row, contender, variant })));
}

function routeCases(contenders: readonly Contender[], sizes: Sizes): Case[] {
  const of = (name: string, routing: Sizes['routing']): Case[] =>
    pairs(name, `${routing.hosts} hosts with ${routing.routesPerHost} routes`, (kind) => {
      const targets = kind === 'proxy' ? 'tcp' : 'files';
      const list = requestList(`${kind}-${name}`, () => routedTargets(routing, targets));
      return work(name, name, paths[kind], { list });
    }).flatMap((row) => contenders.map((contender) => ({ ...row, contender, variant: { routing } })));
  return [...of('one-route', { hosts: 1, routesPerHost: 1 }), ...of('many-routes', sizes.routing)];
}

function workerCases(contenders: readonly Contender[]): Case[] {
  return [1, 2].flatMap((workers) => {
    const name = workers === 1 ? 'one-worker' : 'two-workers';
    // The same load for each worker.
    const rows = pairs(name, `workers: ${workers}`, (kind) =>
      work(name, name, paths[kind], { connections: 32 * workers }),
    );
    return rows.flatMap((row) => contenders.map((contender) => ({ ...row, contender, variant: { workers } })));
  });
}

function fileCases(contenders: readonly Contender[], sizes: Sizes): Case[] {
  const variant = { cachedFiles: sizes.files };
  const of = (name: string, count: number): Case[] => {
    const targets = manyFilePaths(sizes.files).slice(0, count);
    const one = work(name, name, targets[0] ?? '/', { list: requestList(name, () => targets) });
    return contenders.map((contender) => ({
      row: name,
      title: `static request, files: ${count}`,
      work: one,
      contender,
      variant,
    }));
  };
  return [...of('one-file', 1), ...of('many-files', sizes.files)];
}
