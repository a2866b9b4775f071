/**
 * `node --import tsx bench/tls-bench.ts [--quick] [--node PATH]…`: TLS of Portico, on both engines, beside that of NGINX. CPU microseconds a request or a full
 * handshake, medians of shuffled rounds; and whether requests fail while the certificate is replaced. Each `--node` is a further Node.js for the `node` engine.
 */
import { execFileSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ChildServer } from './child-server.ts';
import { freePort } from './free-port.ts';
import { describeCommit, describeHost } from './host.ts';
import { markdownTable } from './markdown-table.ts';
import { cpuMicroseconds } from './process-tree.ts';
import { median, shuffled } from './statistics.ts';
import { type KeyKind, makeCertificate, runTlsLoad, type TlsTraffic } from './tls-load.ts';
import { WorkFolder } from './work-folder.ts';

const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, node: { type: 'string', multiple: true, default: [] } },
});
const [rounds, seconds, renewals] = options.quick ? [1, 1, 1] : [5, 2, 3];
const warmUpSeconds = options.quick ? 1 : 6;

type Engine = 'uws' | 'node';

/** What every server is measured with. */
interface Work {
  readonly title: string;
  readonly traffic: TlsTraffic;
  readonly key: KeyKind;
  /** Portico's cost divided by NGINX's, at most; an engine that is not there is not measured. */
  readonly must: Readonly<Partial<Record<Engine, number>>>;
}

// As many handshakes a CPU second as three quarters of NGINX's.
const handshakes = { traffic: 'handshakes', must: { uws: 1 / 0.75, node: 1 / 0.75 } } as const;
const works: readonly Work[] = [
  { title: 'static 1 KB, kept alive', traffic: 'kept-alive', key: 'ec', must: { uws: 0.75, node: 2.2 } },
  { title: 'static 1 KB, HTTP/2', traffic: 'http2', key: 'ec', must: { node: 2.6 } },
  { title: 'full handshake with a request, P-256', key: 'ec', ...handshakes },
  { title: 'full handshake with a request, RSA 2048', key: 'rsa', ...handshakes },
];

interface Served {
  readonly title: string;
  /** Undefined for NGINX. */
  readonly engine?: Engine;
  readonly server: ChildServer;
  readonly ports: Readonly<Record<KeyKind, number>>;
  readonly adminPort?: number;
}

/** Microseconds by work and server, one for each round. */
type Samples = Map<Work, Map<Served, number[]>>;

const folder = new WorkFolder();
const started: ChildServer[] = [];
try {
  await main();
} finally {
  for (const server of started) await server.stop();
  folder.remove();
}

async function main(): Promise<void> {
  makeCertificate(folder.path, 'ec');
  makeCertificate(folder.path, 'rsa');
  const nginx = await startNginx();
  const porticos = [await startPortico(process.execPath, 'uws'), await startPortico(process.execPath, 'node')];
  for (const node of options.node) porticos.push(await startPortico(node, 'node'));
  const servers = [nginx, ...porticos];
  for (const work of works) for (const one of takingPart(work, porticos)) await load(one, work, warmUpSeconds);
  const samples: Samples = new Map();
  for (let round = 1; round <= rounds; round++) await measureAll(servers, round, samples);
  for (const one of porticos) await refuseResumed(one);
  const rows = works.flatMap((work) => takingPart(work, porticos).map((one) => cellsOf(work, one, nginx, samples)));
  const table = markdownTable(['', 'engine', 'Portico, µs', 'NGINX, µs', 'Portico ÷ NGINX', 'must', ''], rows);
  const commit = describeCommit();
  process.stdout.write(`${describeHost()}.${commit === undefined ? '' : ` Commit ${commit}.`}\n\n${table}\n\n`);
  for (const one of porticos) process.stdout.write(`${await renewUnderLoad(one)}\n`);
}

/** NGINX, and those whose engine has such traffic. */
function takingPart({ must }: Work, servers: readonly Served[]): Served[] {
  return servers.filter(({ engine }) => engine === undefined || must[engine] !== undefined);
}

async function startNginx(): Promise<Served> {
  const [PORT, ports] = [await freePort(), { ec: await freePort(), rsa: await freePort() }];
  const values = { PORT, EC_PORT: ports.ec, RSA_PORT: ports.rsa };
  const file = folder.writeConfiguration('rivals/nginx-tls.conf', values);
  return { title: 'NGINX', server: await start('NGINX', 'nginx', ['-e', 'stderr', '-c', file], PORT), ports };
}

/** One for each engine: nobody runs both in one process, and their code would be compiled for both. */
async function startPortico(node: string, engine: Engine): Promise<Served> {
  const [PORT, ADMIN_PORT, ports] = [
    await freePort(),
    await freePort(),
    { ec: await freePort(), rsa: await freePort() },
  ];
  const values = { PORT, EC_PORT: ports.ec, RSA_PORT: ports.rsa, ADMIN_PORT };
  const more = { ENGINE: engine, HTTP2: String(engine === 'node') };
  const file = folder.writeConfiguration('portico-tls.yaml', { ...values, ...more });
  const server = await start('Portico', node, [program, 'serve', '-c', file], PORT);
  const version = execFileSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' }).trim();
  return { title: `\`${engine}\`, Node.js ${version}`, engine, server, ports, adminPort: ADMIN_PORT };
}

async function start(name: string, command: string, args: readonly string[], port: number): Promise<ChildServer> {
  const server = await ChildServer.start({ name, command, args, port });
  started.push(server);
  return server;
}

async function measureAll(servers: readonly Served[], round: number, samples: Samples): Promise<void> {
  for (const work of shuffled(works)) {
    const costs = samples.get(work) ?? new Map<Served, number[]>();
    samples.set(work, costs);
    for (const one of shuffled(takingPart(work, servers))) {
      const cost = await measure(one, work);
      costs.set(one, [...(costs.get(one) ?? []), cost]);
      process.stderr.write(`round ${round}: ${work.title}: ${one.title}: ${cost.toFixed(1)} µs\n`);
    }
  }
}

async function measure(served: Served, work: Work): Promise<number> {
  // What came before was other work, and code is compiled by what it does.
  await load(served, work, 1);
  const before = cpuMicroseconds(served.server.pid);
  const requests = await load(served, work, seconds);
  return (cpuMicroseconds(served.server.pid) - before) / requests;
}

/** @returns how many requests were answered. @throws Error when one fails: what is wrong is not measured */
async function load({ ports }: Served, { title, traffic, key }: Work, duration: number): Promise<number> {
  const { requests, failures } = await runTlsLoad(ports[key], traffic, duration);
  if (requests === 0 || failures > 0) throw new Error(`${title}: ${failures} of ${requests} failed`);
  return requests;
}

/** @throws Error when handshakes were not full ones. The `uws` engine does not tell. */
async function refuseResumed({ title, adminPort }: Served): Promise<void> {
  const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  const resumed = [...metrics.matchAll(/^portico_tls_handshakes_total\{.*resumed="yes".*\} (\d+)/gm)];
  const count = resumed.reduce((sum, [, value]) => sum + Number(value), 0);
  if (count > 0) throw new Error(`${title}: ${count} handshakes resumed a session`);
}

function cellsOf(work: Work, one: Served, nginx: Served, samples: Samples): string[] {
  const costs = samples.get(work);
  const [ours, theirs] = [costs?.get(one) ?? [], costs?.get(nginx) ?? []];
  const ratio = median(ours) / median(theirs);
  const each = ours.map((cost, round) => cost / (theirs[round] ?? Number.NaN));
  const range = `${Math.min(...each).toFixed(2)}–${Math.max(...each).toFixed(2)}`;
  const must = (one.engine && work.must[one.engine]) ?? Number.NaN;
  const figures = [median(ours).toFixed(1), median(theirs).toFixed(1), `${ratio.toFixed(2)} (${range})`];
  return [work.title, one.title, ...figures, `≤ ${must.toFixed(2)}`, ratio <= must ? 'met' : 'missed'];
}

/** Replaces the certificate some times while clients connect anew for each request. */
async function renewUnderLoad({ ports, title }: Served): Promise<string> {
  const pauseMs = 1500;
  const running = runTlsLoad(ports.ec, 'handshakes', Math.ceil(((renewals + 1) * pauseMs) / 1000));
  for (let count = 0; count < renewals; count++) {
    await delay(pauseMs);
    makeCertificate(folder.path, 'ec');
  }
  const { requests, failures } = await running;
  return `${renewals} certificates replaced under load, ${title}: ${failures} of ${requests} requests failed`;
}
