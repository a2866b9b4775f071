import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ChildProgram } from '../support/child-program.ts';
import { ensureDebianPackage } from '../support/debian-package.ts';

const bench = join(fileURLToPath(new URL('../../bench', import.meta.url)), 'bench.ts');
const skip =
  ensureDebianPackage('wrk', '/usr/bin/wrk') ??
  ensureDebianPackage('nginx-light', '/usr/sbin/nginx') ??
  ensureDebianPackage('haproxy', '/usr/sbin/haproxy') ??
  false;

test('the short benchmark runs and gives a complete table', { skip }, async () => {
  const program = new ChildProgram(['--import', 'tsx', bench, '--quick', '--only', 'portico,nginx,haproxy']);
  const code = await program.ended();
  assert.equal(code, 0, program.output);
  const rows = program.output.split('\n').filter((line) => /^\| (static file|proxy|start|idle|memory)/.test(line));
  // Eight works as costs and again as ratios, four rows of start and memory.
  assert.equal(rows.length, 20, program.output);
  const cells = rows.flatMap((row) => row.split('|').slice(2, -1));
  const wrong = cells.filter((cell) => !/^ (–|-?\d+(\.\d+)?) $/.test(cell));
  assert.deepEqual(wrong, []);
  // HAProxy serves no files: four works without a cost, four without a ratio. Nothing else may be missing.
  assert.equal(cells.filter((cell) => cell === ' – ').length, 8, program.output);
  assert.doesNotMatch(program.output, /failed request/);
});
