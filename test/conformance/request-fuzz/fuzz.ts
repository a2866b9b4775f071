/**
 * `npm run fuzz [-- --requests N --seed S --engine uws|node | --http2]`: fuzzed connections to both engines, compared with what
 * a strict parser reads; with `--http2` connections of HTTP/2 to the one that speaks it. Ends with 1 when something is different
 * that is not known.
 */
import { parseArgs } from 'node:util';
import { fuzzHttp2 } from '../http2-fuzz/http2-fuzz.ts';
import { type FuzzedEngine, fuzzRequests } from './request-fuzz.ts';

process.env['UWS_HTTP_MAX_HEADERS_SIZE'] = String(32 * 1024);

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    engine: { type: 'string' },
    http2: { type: 'boolean', default: false },
  },
});
const [requests, seed] = [Number(values.requests), Number(values.seed)];
const engines: readonly FuzzedEngine[] =
  values.engine === 'uws' || values.engine === 'node' ? [values.engine] : ['node', 'uws'];
let found = 0;

if (values.http2) {
  const began = performance.now();
  const { connections, frames, others, verdicts, differences } = await fuzzHttp2(requests, seed);
  tell(
    `HTTP/2: ${connections} connections, ${frames} frames, ${others} requests of others`,
    began,
    [verdicts],
    differences,
  );
} else {
  for (const engine of engines) {
    const began = performance.now();
    const { connections, verdicts, explained, differences } = await fuzzRequests(engine, requests, seed);
    tell(`${engine}: ${connections} connections`, began, [verdicts, explained], differences);
  }
}
process.stdout.write(`\n${found} differences\n`);
process.exitCode = found > 0 ? 1 : 0;

function tell(
  what: string,
  began: number,
  counts: readonly Readonly<Record<string, number>>[],
  differences: readonly string[],
): void {
  process.stdout.write(`\n${what}, seed ${seed}, ${Math.round((performance.now() - began) / 1000)} s\n`);
  for (const [name, count] of counts.flatMap(Object.entries<number>)) {
    process.stdout.write(`  ${String(count).padStart(7)} ${name}\n`);
  }
  for (const difference of differences) process.stdout.write(`\n${difference}\n`);
  found += differences.length;
}
