/**
 * `npm run slow-attacks [-- --connections N --seconds S --attack KIND --engine uws|node --out FILE]`: slowhttptest with 2,000 connections in its four ways against the
 * built program, on both engines, while visitors ask for small things. Writes a table; ends with 1 when a visitor was not served, or
 * connections were not cut off.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { freePort } from '../test/support/free-port.ts';
import { httpGet } from '../test/support/http-get.ts';
import { PorticoProcess } from '../test/support/portico-process.ts';
import { QuickVisitors, quantile, type Visits } from '../test/support/quick-visitors.ts';
import { ScriptedOrigin } from '../test/support/scripted-origin.ts';
import { SlowAttack, type SlowAttackKind, slowAttackKinds, slowHttpTestMissing } from '../test/support/slow-attack.ts';

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '2000' },
    seconds: { type: 'string', default: '60' },
    attack: { type: 'string' },
    engine: { type: 'string' },
    out: { type: 'string' },
  },
});
const connections = Number(values.connections);
const seconds = Number(values.seconds);
const quietMs = 4000;
/** Visitors, and the request that the attack makes beside. */
const othersAtMost = 8;
const pages = { '/small.txt': 'a small file', '/app': 'the application' };
const targets: Readonly<Record<SlowAttackKind, string>> = {
  headers: '/app',
  body: '/app',
  read: '/large.bin',
  range: '/large.bin',
};

interface Row {
  readonly engine: string;
  readonly kind: SlowAttackKind;
  readonly most: number;
  /** Until all were cut off; undefined when they were not. */
  readonly cutMs: number | undefined;
  readonly quiet: Visits;
  readonly attacked: Visits;
}

const missing = slowHttpTestMissing();
if (missing !== undefined) throw new Error(missing);
const folder = mkdtempSync(join(tmpdir(), 'portico-slow-attacks-'));
const body = pages['/app'];
const origin = await ScriptedOrigin.answering(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
const rows: Row[] = [];
try {
  mkdirSync(join(folder, 'www'));
  writeFileSync(join(folder, 'www', 'small.txt'), pages['/small.txt']);
  writeFileSync(join(folder, 'www', 'large.bin'), Buffer.alloc(8 * 1024 ** 2, 'x'));
  const engines = ['uws', 'node'].filter((engine) => engine === (values.engine ?? engine));
  const kinds = slowAttackKinds.filter((kind) => kind === (values.attack ?? kind));
  for (const engine of engines) for (const kind of kinds) rows.push(await attack(engine, kind));
} finally {
  await origin.close();
  rmSync(folder, { recursive: true, force: true });
}
const table = render(rows);
process.stdout.write(`${table}\n`);
if (values.out !== undefined) writeFileSync(values.out, table);
process.exitCode = rows.every(({ attacked, cutMs }) => attacked.failures.length === 0 && cutMs !== undefined) ? 0 : 1;

async function attack(engine: string, kind: SlowAttackKind): Promise<Row> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const file = join(folder, 'portico.yaml');
  writeFileSync(file, configuration(engine, port, adminPort));
  const portico = await PorticoProcess.serve(file, adminPort, { cwd: folder });
  try {
    await measure(port, 1000);
    const quiet = await measure(port, quietMs);
    const visitors = new QuickVisitors(port, pages);
    const url = `http://127.0.0.1:${port}${targets[kind]}`;
    const attackers = new SlowAttack(kind, { url, connections, seconds, folder });
    const startedAt = performance.now();
    let most = 0;
    let cutMs: number | undefined;
    while (performance.now() - startedAt < seconds * 1000 && cutMs === undefined) {
      await delay(200);
      const open = await openConnections(adminPort);
      most = Math.max(most, open);
      const begun = most > connections / 2 || !attackers.running;
      if (begun && open <= othersAtMost) cutMs = performance.now() - startedAt;
    }
    const attacked = await visitors.stop();
    const { mostConnected } = await attackers.result();
    for (const failure of attacked.failures.slice(0, 5)) process.stderr.write(`${engine}, ${kind}: ${failure}\n`);
    return { engine, kind, most: Math.max(most, mostConnected), cutMs, quiet, attacked };
  } finally {
    await portico.stop();
  }
}

async function measure(port: number, ms: number): Promise<Visits> {
  const visitors = new QuickVisitors(port, pages);
  await delay(ms);
  return visitors.stop();
}

async function openConnections(adminPort: number): Promise<number> {
  const { body: text } = await httpGet(adminPort, '/metrics');
  const lines = text.split('\n').filter((line) => /^portico_connections_open[ {]/.test(line));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/** Nothing but what is there by itself. */
function configuration(engine: string, port: number, adminPort: number): string {
  return `listen: [{ address: "127.0.0.1:${port}", engine: ${engine} }]
admin: { address: "127.0.0.1:${adminPort}" }
workers: 2
accessLog: false
upstreams: { app: { servers: ["http://127.0.0.1:${origin.port}"] } }
sites:
  - routes:
      - { path: /app, proxy: { upstream: app } }
      - { path: /, static: { root: ${join(folder, 'www')} } }
`;
}

function render(all: readonly Row[]): string {
  const [cpu] = cpus();
  const lines = [
    '# Result of the slow attacks',
    '',
    `${new Date().toISOString().slice(0, 16).replace('T', ' ')}, \`npm run slow-attacks -- --connections ${connections} --seconds ${seconds}\`: ${cpus().length} × ${cpu?.model.trim()}, Node.js ${process.versions.node}; two workers, default limits, attackers and visitors on the same machine.`,
    '',
    '| engine | attack | connections at once | all cut off after | others: answered, failed | median, 99 % under attack | median before | ratio of the medians |',
    '|---|---|---|---|---|---|---|---|',
  ];
  for (const { engine, kind, most, cutMs, quiet, attacked } of all) {
    const [before, during] = [quantile(quiet.taken, 0.5), quantile(attacked.taken, 0.5)];
    const cut = cutMs === undefined ? 'never' : `${(cutMs / 1000).toFixed(0)} s`;
    lines.push(
      `| ${engine} | ${kind} | ${most} | ${cut} | ${attacked.taken.length}, ${attacked.failures.length} | ${during.toFixed(1)} ms, ${quantile(attacked.taken, 0.99).toFixed(1)} ms | ${before.toFixed(1)} ms | ${(during / before).toFixed(2)} |`,
    );
  }
  return `${lines.join('\n')}\n`;
}
