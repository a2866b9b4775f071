/**
 * `node --import tsx bench/tls-bench.ts [--quick]`: TLS of Portico, on both engines, beside that of NGINX. CPU microseconds a request or a full handshake, medians of
 * shuffled rounds; and whether requests fail while the certificate is replaced.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ChildServer } from './child-server.ts';
import { freePort } from './free-port.ts';
import { describeCommit, describeHost } from './host.ts';
import { markdownTable } from './markdown-table.ts';
import { cpuMicroseconds } from './process-tree.ts';
import { median, shuffled } from './statistics.ts';
import { makeCertificate, runTlsLoad, type TlsTraffic } from './tls-load.ts';
import { WorkFolder } from './work-folder.ts';

const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const quick = process.argv.includes('--quick');
const [rounds, seconds, renewals] = quick ? [1, 1, 1] : [5, 3, 3];

/** A row of the results: Portico's cost divided by NGINX's. */
interface Row {
  readonly title: string;
  readonly traffic: TlsTraffic;
  readonly engine: 'uws' | 'node';
  readonly must: number;
}

const rows: readonly Row[] = [
  { title: 'static 1 KB, kept alive, `uws`', traffic: 'kept-alive', engine: 'uws', must: 0.75 },
  { title: 'static 1 KB, kept alive, `node`', traffic: 'kept-alive', engine: 'node', must: 2.2 },
  { title: 'static 1 KB, HTTP/2, `node`', traffic: 'http2', engine: 'node', must: 2.6 },
  // As many a CPU second as three quarters of NGINX's.
  { title: 'full handshake with a request, `uws`', traffic: 'handshakes', engine: 'uws', must: 1 / 0.75 },
  { title: 'full handshake with a request, `node`', traffic: 'handshakes', engine: 'node', must: 1 / 0.75 },
];

interface Served {
  readonly server: ChildServer;
  readonly tlsPort: number;
}

type Servers = Readonly<Record<'nginx' | 'uws' | 'node', Served>>;

const folder = new WorkFolder();
const started: ChildServer[] = [];
try {
  await main();
} finally {
  for (const server of started) await server.stop();
  folder.remove();
}

async function main(): Promise<void> {
  makeCertificate(folder.path);
  const servers = await startServers();
  for (const { engine, traffic } of rows) await runTlsLoad(servers[engine].tlsPort, traffic, quick ? 1 : 5);
  const samples = await measureAll(servers);
  const table = markdownTable(
    ['', 'Portico, µs', 'NGINX, µs', 'Portico ÷ NGINX', 'must', ''],
    rows.map((row) => cellsOf(row, samples)),
  );
  const commit = describeCommit();
  process.stdout.write(`${describeHost()}.${commit === undefined ? '' : ` Commit ${commit}.`}\n\n${table}\n\n`);
  for (const engine of ['uws', 'node'] as const)
    process.stdout.write(`${await renewUnderLoad(servers[engine], engine)}\n`);
}

async function startServers(): Promise<Servers> {
  const ports = { PORT: await freePort(), TLS_PORT: await freePort() };
  const nginxFile = folder.writeConfiguration('rivals/nginx-tls.conf', ports);
  const nginx = await start('NGINX', 'nginx', ['-e', 'stderr', '-c', nginxFile], ports.PORT);
  const [PORT, UWS_PORT, NODE_PORT] = [await freePort(), await freePort(), await freePort()];
  const values = { PORT, UWS_PORT, NODE_PORT, ADMIN_PORT: await freePort() };
  const file = folder.writeConfiguration('portico-tls.yaml', values);
  const portico = await start('Portico', process.execPath, [program, 'serve', '-c', file], PORT);
  return {
    nginx: { server: nginx, tlsPort: ports.TLS_PORT },
    uws: { server: portico, tlsPort: UWS_PORT },
    node: { server: portico, tlsPort: NODE_PORT },
  };
}

async function start(name: string, command: string, args: readonly string[], port: number): Promise<ChildServer> {
  const server = await ChildServer.start({ name, command, args, port });
  started.push(server);
  return server;
}

/** Microseconds by traffic and server, one for each round. */
async function measureAll(servers: Servers): Promise<ReadonlyMap<string, number[]>> {
  const samples = new Map<string, number[]>();
  for (let round = 1; round <= rounds; round++) {
    for (const traffic of shuffled([...new Set(rows.map((row) => row.traffic))])) {
      const engines = rows.filter((row) => row.traffic === traffic).map(({ engine }) => engine);
      for (const name of shuffled(['nginx' as const, ...engines])) {
        const cost = await measure(servers[name], traffic);
        const key = `${traffic} ${name}`;
        samples.set(key, [...(samples.get(key) ?? []), cost]);
        process.stderr.write(`round ${round}: ${key}: ${cost.toFixed(1)} µs\n`);
      }
    }
  }
  return samples;
}

/** @throws Error when a request fails: what is wrong is not measured */
async function measure({ server, tlsPort }: Served, traffic: TlsTraffic): Promise<number> {
  const before = cpuMicroseconds(server.pid);
  const load = await runTlsLoad(tlsPort, traffic, seconds);
  const used = cpuMicroseconds(server.pid) - before;
  if (load.requests === 0 || load.failures > 0)
    throw new Error(`${traffic}: ${load.failures} of ${load.requests} failed`);
  return used / load.requests;
}

function cellsOf({ title, traffic, engine, must }: Row, samples: ReadonlyMap<string, number[]>): string[] {
  const ours = samples.get(`${traffic} ${engine}`) ?? [];
  const theirs = samples.get(`${traffic} nginx`) ?? [];
  const ratio = median(ours) / median(theirs);
  const each = ours.map((cost, round) => cost / (theirs[round] ?? Number.NaN));
  const range = `${Math.min(...each).toFixed(2)}–${Math.max(...each).toFixed(2)}`;
  const verdict = ratio <= must ? 'met' : 'missed';
  const figures = [median(ours).toFixed(1), median(theirs).toFixed(1), `${ratio.toFixed(2)} (${range})`];
  return [title, ...figures, `≤ ${must.toFixed(2)}`, verdict];
}

/** Replaces the certificate some times while clients connect anew for each request. */
async function renewUnderLoad({ tlsPort }: Served, engine: string): Promise<string> {
  const pauseMs = 1500;
  const load = runTlsLoad(tlsPort, 'handshakes', Math.ceil(((renewals + 1) * pauseMs) / 1000));
  for (let count = 0; count < renewals; count++) {
    await delay(pauseMs);
    makeCertificate(folder.path);
  }
  const { requests, failures } = await load;
  return `${renewals} certificates replaced under load, \`${engine}\`: ${failures} of ${requests} requests failed`;
}
