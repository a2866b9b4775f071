/**
 * `npm run soak [-- --minutes N --seed S --clients C --out FOLDER]`: the built program before two Gunicorns under load, while
 * servers are killed and restarted, the configuration is reloaded and workers are replaced. Ends with 1 when an idempotent
 * request has failed, a body was wrong, or memory or file descriptors have grown.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { queuesMigrate } from '../src/primary/queue-migration.ts';
import { freePort } from '../test/support/free-port.ts';
import { httpGet } from '../test/support/http-get.ts';
import { Chaos } from './chaos.ts';
import { Content } from './content.ts';
import { GunicornInstance } from './gunicorn-instance.ts';
import { Load } from './load.ts';
import { readOptions, type SoakOptions } from './options.ts';
import { PorticoUnderTest } from './portico.ts';
import { judge, renderReport, type SoakResult } from './report.ts';
import { writeStaticFiles } from './requests.ts';
import { Samples } from './samples.ts';

const options = readOptions(process.argv.slice(2));
const folder = mkdtempSync(join(tmpdir(), 'portico-soak-'));
const cleanUp: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
const linesShown = 60;
let written = (): string => '';
try {
  const result = await soak(options);
  const verdict = judge(result);
  const report = renderReport(result, verdict, new Date().toISOString().slice(0, 16).replace('T', ' '));
  process.stdout.write(`${report}\n`);
  if (options.out !== undefined) {
    mkdirSync(options.out, { recursive: true });
    writeFileSync(join(options.out, 'RESULTS.md'), report);
    const { failures, lostWithWorker, resets, ...rest } = verdict;
    const counts = { failures: failures.length, lostWithWorker: lostWithWorker.length, resets: resets.length };
    const { load, ...facts } = result;
    const numbers = { answered: load.answered, bytes: load.bytes, wrongBodies: load.wrongBodies };
    writeFileSync(
      join(options.out, 'results.json'),
      `${JSON.stringify({ ...rest, ...counts, ...numbers, ...facts }, undefined, 2)}\n`,
    );
  }
  if (!verdict.passed) process.stdout.write(`\n## What Portico wrote, the end of it\n\n${written()}\n`);
  process.exitCode = verdict.passed ? 0 : 1;
} finally {
  for (const step of cleanUp.toReversed()) await step();
}

async function soak({ seconds, seed, clients }: SoakOptions): Promise<SoakResult> {
  const content = new Content(seed);
  writeStaticFiles(folder, content);
  const blockFile = join(folder, 'block');
  writeFileSync(blockFile, content.block);
  const [a, b] = [await instance('A', blockFile), await instance('B', blockFile)];
  const portico = await PorticoUnderTest.start({ folder, applicationPorts: [a.port, b.port] });
  cleanUp.push(() => portico.process.stop());
  written = () => portico.process.output.err.split('\n').slice(-linesShown).join('\n');
  const load = new Load(portico.port, content, clients, seed);
  const samples = new Samples(portico.adminPort);
  const chaos = new Chaos(portico, [a, b], seconds);
  try {
    await chaos.run(seconds);
  } finally {
    await load.stop();
    samples.stop();
  }
  const { engine } = JSON.parse((await httpGet(portico.adminPort, '/status')).body) as { engine: string };
  return {
    seconds,
    seed,
    engine,
    queuesMigrate: queuesMigrate() === true,
    load,
    incidents: chaos.incidents,
    rss: samples.rss(),
    descriptors: samples.descriptors(),
    samples: samples.count,
    workerDeaths: await portico.metric('portico_worker_restarts_total'),
  };
}

async function instance(name: string, blockFile: string): Promise<GunicornInstance> {
  const gunicorn = new GunicornInstance(name, await freePort(), blockFile);
  cleanUp.push(() => gunicorn.stop());
  await gunicorn.start();
  return gunicorn;
}
