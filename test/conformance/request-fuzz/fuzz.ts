/**
 * `npm run fuzz [-- --requests N --seed S --engine uws|node]`: fuzzed connections to both engines, compared with what a strict
 * parser reads. Ends with 1 when something is different that is not known.
 */
import { parseArgs } from 'node:util';
import { type FuzzedEngine, fuzzRequests } from './request-fuzz.ts';

process.env['UWS_HTTP_MAX_HEADERS_SIZE'] = String(32 * 1024);

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    engine: { type: 'string' },
  },
});
const engines: readonly FuzzedEngine[] =
  values.engine === 'uws' || values.engine === 'node' ? [values.engine] : ['node', 'uws'];
let found = 0;
for (const engine of engines) {
  const began = performance.now();
  const report = await fuzzRequests(engine, Number(values.requests), Number(values.seed));
  const seconds = Math.round((performance.now() - began) / 1000);
  process.stdout.write(`\n${engine}: ${report.connections} connections, seed ${values.seed}, ${seconds} s\n`);
  for (const counts of [report.verdicts, report.explained]) {
    for (const [name, count] of Object.entries(counts))
      process.stdout.write(`  ${String(count).padStart(7)} ${name}\n`);
  }
  for (const difference of report.differences) process.stdout.write(`\n${difference}\n`);
  found += report.differences.length;
}
process.stdout.write(`\n${found} differences\n`);
process.exitCode = found > 0 ? 1 : 0;
