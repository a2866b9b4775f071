/**
 * `node --import tsx bench/cache-bench.ts [--quick] [--loads|--entries]`: the cache of Portico beside those of NGINX and Varnish. CPU microseconds a
 * request, medians of shuffled rounds. Varnish is left out where there is no varnishd (`VARNISHD` names another one).
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CacheKeeperIndex } from '../src/primary/cache-keeper-index.ts';
import { type CacheWork, measureCache, warm } from './cache-load.ts';
import { ChildServer } from './child-server.ts';
import { freePort } from './free-port.ts';
import { median, shuffled } from './statistics.ts';
import { WorkFolder } from './work-folder.ts';

const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const quick = process.argv.includes('--quick');
const [rounds, seconds, manyEntries] = quick ? [1, 1, 2000] : [3, 2, 100_000];
const varnishd = process.env['VARNISHD'] ?? 'varnishd';

const works: readonly (CacheWork & { readonly only?: readonly string[] })[] = [
  { name: 'memory', title: 'hit, 1 KB', path: '/cached/1k.html', accepts: '', expects: /^200/ },
  { name: 'disk', title: 'hit on disk, 100 KB', path: '/disk/100k.bin', accepts: '', expects: /^200/ },
  { name: 'gzip', title: 'gzip on the fly, 20 KB', path: '/gzip/20k.html', accepts: 'gzip', expects: /gzip/i },
  {
    name: 'coded',
    title: 'compressed hit',
    path: '/coded/20k.html',
    accepts: 'gzip',
    expects: /hit[\s\S]*gzip|gzip[\s\S]*hit/i,
    only: ['portico'],
  },
  {
    name: 'same',
    title: 'identity hit of that size',
    path: '/cached/same.html',
    accepts: '',
    expects: /hit/,
    only: ['portico'],
  },
];

const folder = new WorkFolder();
const started: ChildServer[] = [];
try {
  await main();
} finally {
  for (const server of started.toReversed()) await server.stop();
  folder.remove();
}

async function main(): Promise<void> {
  writeFileSync(join(folder.files, '20k.html'), page(20 * 1024));
  const upstreamPort = await freePort();
  const upstream = folder.writeConfiguration('rivals/cache-upstream.conf', { UPSTREAM_PORT: upstreamPort });
  await start('the upstream NGINX', 'nginx', ['-e', 'stderr', '-c', upstream], upstreamPort);
  const adminPort = await freePort();
  const portico = await startPortico(upstreamPort, await freePort(), adminPort);
  const servers = new Map([['portico', portico]]);
  const nginxPort = await freePort();
  const nginx = folder.writeConfiguration('rivals/nginx-cache.conf', { UPSTREAM_PORT: upstreamPort, PORT: nginxPort });
  servers.set('nginx', await start('NGINX', 'nginx', ['-e', 'stderr', '-c', nginx], nginxPort));
  if (spawnSync(varnishd, ['-V']).status === 0) servers.set('varnish', await startVarnish(upstreamPort));
  else say('Varnish is left out: varnishd does not run');
  writeFileSync(join(folder.files, 'same.html'), page(await compressedBytes(portico)));
  const lines: string[] = [];
  if (!process.argv.includes('--entries')) lines.push(...(await measureAll(servers)));
  if (!process.argv.includes('--loads')) lines.push(...(await manyResponses(portico, upstreamPort)));
  say(lines.join('\n'));
}

/** @returns rows of a table */
async function measureAll(servers: ReadonlyMap<string, ChildServer>): Promise<string[]> {
  const results = new Map<string, number[]>();
  for (let round = 0; round < rounds; round++) {
    for (const work of works) {
      for (const [name, server] of shuffled([...servers])) {
        if (work.only?.includes(name) === false || (work.name === 'gzip' && name === 'varnish')) continue;
        const bytes = await warm(server, work);
        if (round === 0) await measureCache(server, work, 1);
        const key = `${work.name} ${name}`;
        results.set(key, [...(results.get(key) ?? []), await measureCache(server, work, seconds)]);
        if (round === 0) say(`${work.title}, ${name}: ${bytes} bytes`);
      }
    }
  }
  for (const [key, values] of results)
    say(`${key}: ${median(values).toFixed(2)} µs (${values.map((one) => one.toFixed(2)).join(', ')})`);
  const of = (key: string): number => median(results.get(key) ?? []);
  const rows: readonly [title: string, ratio: number, bound: string][] = [
    ['hit, 1 KB ÷ NGINX', of('memory portico') / of('memory nginx'), '0.80'],
    ['hit, 1 KB ÷ Varnish', of('memory portico') / of('memory varnish'), '0.45'],
    ['hit on disk, 100 KB ÷ NGINX', of('disk portico') / of('disk nginx'), '1.0'],
    ['compressed hit ÷ identity hit of that size', of('coded portico') / of('same portico'), '1.0'],
    ['gzip on the fly, 20 KB ÷ NGINX, level 1', of('gzip portico') / of('gzip nginx'), '1.1'],
  ];
  return rows
    .filter(([, ratio]) => !Number.isNaN(ratio))
    .map(([title, ratio, bound]) => `| ${title} | ${ratio.toFixed(2)} | ${bound} |`);
}

/** Many stored responses: how soon a restart finds one of them, and what the index of the primary takes. */
async function manyResponses(portico: ChildServer, upstreamPort: number): Promise<string[]> {
  const host = `127.0.0.1:${portico.port}`;
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  let next = 0;
  const fill = async (): Promise<void> => {
    while (next < manyEntries) await ask(portico.port, `/number/${next++}`, host, agent);
  };
  await Promise.all(Array.from({ length: 32 }, fill));
  agent.destroy();
  await new Promise((resolve) => setTimeout(resolve, 2000));
  await portico.stop();
  const again = await startPortico(upstreamPort, await freePort(), await freePort());
  const before = performance.now();
  const status = await ask(again.port, `/number/${manyEntries >> 1}`, host);
  say(`start-up: ${portico.startMs.toFixed(0)} ms with an empty cache, ${again.startMs.toFixed(0)} ms with a full one`);
  const firstMs = again.startMs + performance.now() - before;
  if (!status.includes('hit')) throw new Error(`what was stored is not found again: ${status}`);
  const index = new CacheKeeperIndex();
  for (let number = 0; number < manyEntries; number++) {
    const hash = number.toString(16).padStart(8, '0').repeat(4);
    index.set({
      hash,
      bytes: 4096,
      usedAt: number,
      key: `example.org/number/${number}`,
      tags: ['all', `number-${number}`],
    });
  }
  return [
    `| ${manyEntries} entries: milliseconds from start-up to the first hit | ${firstMs.toFixed(0)} | 1000 |`,
    `| index: bytes an entry with two tags | ${(index.memoryBytes / manyEntries).toFixed(0)} | 300 |`,
  ];
}

/** @returns Cache-Status */
function ask(port: number, path: string, host: string, agent: Agent | false = false): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, agent, headers: { Host: host } }, (response) => {
      response.resume();
      response.on('end', () => resolve(String(response.headers['cache-status'])));
    });
    outgoing.on('error', reject).end();
  });
}

async function compressedBytes(server: ChildServer): Promise<number> {
  const coded = works.find(({ name }) => name === 'coded') as CacheWork;
  await warm(server, coded);
  // The form that is made once comes a moment after the first hit.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  return warm(server, coded);
}

async function startPortico(upstreamPort: number, port: number, adminPort: number): Promise<ChildServer> {
  const values = { UPSTREAM_PORT: upstreamPort, PORT: port, ADMIN_PORT: adminPort };
  const configuration = folder.writeConfiguration('portico-cache.yaml', values);
  return start('Portico', process.execPath, [program, 'serve', '-c', configuration], port);
}

async function startVarnish(upstreamPort: number): Promise<ChildServer> {
  const port = await freePort();
  const vcl = folder.writeConfiguration('rivals/cache.vcl', { UPSTREAM_PORT: upstreamPort });
  const args = [
    '-F',
    '-j',
    'none',
    '-a',
    `127.0.0.1:${port}`,
    '-f',
    vcl,
    '-s',
    'malloc,256m',
    '-n',
    `${folder.path}/varnish`,
  ];
  return start('Varnish', varnishd, args, port);
}

async function start(name: string, command: string, args: readonly string[], port: number): Promise<ChildServer> {
  const server = await ChildServer.start({ name, command, args, port });
  started.push(server);
  return server;
}

/** HTML that compresses as real pages do: the project's own documents, a line a paragraph. */
function page(bytes: number): string {
  let text = '<!doctype html><html lang="en"><title>Page</title>';
  for (const name of ['caching.md', 'compression.md', 'configuration.md']) {
    for (const line of readFileSync(new URL(`../docs/${name}`, import.meta.url), 'utf8').split('\n')) {
      if (line !== '') text += `<p class="line">${line.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</p>\n`;
    }
  }
  return Buffer.from(text)
    .subarray(0, bytes)
    .toString('latin1')
    .replace(/[^\0-\x7f]/g, ' ');
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
