/**
 * `npm test`: everything that CI runs. Builds, runs the suites (tests install the peers they need where they may), and closes with
 * `N passed, N failed`. `npm test -- unit static` runs the suites or files whose path contains one of the words.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { globSync } from './glob.ts';

/** In this order, and so many files at a time. */
const suites: readonly (readonly [name: string, concurrency: number])[] = [
  ['unit', 2],
  ['conformance', 2],
  ['integration', 2],
  ['process', 2],
  ['container', 1],
];

/** What measures or loads the machine, or rates and shares over all workers: after the others of its suite, one file after the other. */
const alone = [
  'bench-smoke',
  'connection-limits',
  'prometheus',
  'rate-limits',
  'redis-limits',
  'restart-under-load',
  'slow-attacks',
  'soak-smoke',
].map((name) => `test/process/${name}.test.ts`);

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);
for (const file of alone) if (!existsSync(file)) throw new Error(`${file} is not there any more`);
const words = process.argv.slice(2);
if (!process.env['PORTICO_TEST_PREBUILT']) {
  const build = spawnSync(process.execPath, ['--import', 'tsx', 'scripts/build.ts'], { stdio: 'inherit' });
  if (build.status !== 0) process.exit(1);
}

const count = { passed: 0, failed: 0, skipped: 0 };
const failures: string[] = [];
for (const [name, concurrency] of suites) {
  const folder = `test/${name}`;
  if (!existsSync(folder)) continue;
  const all = globSync(folder, '.test.ts');
  const files = all.filter((file) => words.length === 0 || words.some((word) => file.includes(word)));
  const together = files.filter((file) => !alone.includes(file));
  const rest = files.filter((file) => alone.includes(file));
  if (together.length > 0) await runSuite(name, together, concurrency);
  if (rest.length > 0) await runSuite(`${name}, alone`, rest, 1);
}
if (failures.length > 0) process.stdout.write(`\nfailed:\n${failures.map((line) => `  ${line}\n`).join('')}`);
const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : '';
process.exitCode = count.failed > 0 || count.passed === 0 ? 1 : 0;
process.stdout.write(`\n${count.passed} passed, ${count.failed} failed${skipped}\n`);

async function runSuite(name: string, files: string[], concurrency: number): Promise<void> {
  process.stdout.write(`\n== ${name} (${files.length} files)\n`);
  const startedAt = Date.now();
  const events = run({ files, concurrency, timeout: 15 * 60_000 });
  events.on('test:pass', (event) => {
    if (event.details.type === 'suite' || isFile(event.name, files)) return;
    if (event.skip !== undefined && event.skip !== false) count.skipped++;
    else count.passed++;
  });
  events.on('test:fail', (event) => {
    if (event.details.type === 'suite') return;
    count.failed++;
    failures.push(`${event.file ?? ''}: ${event.name}\n${reasonOf(event.details.error)}`);
  });
  const report = events.compose(new spec());
  report.pipe(process.stdout, { end: false });
  await once(report, 'end');
  process.stdout.write(`== ${name} took ${Math.round((Date.now() - startedAt) / 1000)} s\n`);
}

/** The first lines of what went wrong, so that the end of a long output tells it. */
function reasonOf(error: Error): string {
  const cause = error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : error.message;
  const lines = cause.split('\n').slice(0, 12);
  return lines.map((line) => `      ${line}`).join('\n');
}

/** The runner reports each file as a test of its own when it has none inside. */
function isFile(name: string, files: readonly string[]): boolean {
  return files.some((file) => name.endsWith(file));
}
