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
  ensureDebianPackage('build-essential', '/usr/bin/cc') ??
  false;

/** The lines of the table that follows a heading. */
function rowsBelow(page: string, heading: string): string[][] {
  const text = page.slice(page.indexOf(`\n${heading}\n`));
  const lines = text.split('\n');
  const first = lines.findIndex((line) => line.startsWith('|---'));
  const rows: string[][] = [];
  for (let at = first + 1; lines[at]?.startsWith('|') === true; at++) {
    rows.push(
      (lines[at] ?? '')
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  }
  return rows;
}

test('the short benchmark runs and gives a complete page, also without some rivals', { skip }, async () => {
  const program = new ChildProgram(['--import', 'tsx', bench, '--quick', '--only', 'portico,nginx,haproxy']);
  const code = await program.ended();
  const page = program.output;
  assert.equal(code, 0, page);
  assert.doesNotMatch(page, /## Failures/);

  const targets = rowsBelow(page, '## Targets');
  assert.equal(targets.length, 9 + 4 + 6, 'works against NGINX, proxying against Caddy and against three from npm');
  const againstNginx = targets.filter((cells) => cells[2]?.startsWith('NGINX'));
  assert.equal(againstNginx.length, 9);
  for (const cells of againstNginx) assert.match(cells[3] ?? '', /^\d+\.\d\d$/, cells.join('|'));
  for (const cells of targets.slice(9)) assert.match(cells.at(-1) ?? '', /^not measured/);

  const bounds = rowsBelow(
    page,
    'The ratio is that of the medians; behind it the lowest and highest ratio of a round.',
  );
  assert.equal(bounds.length, 14, page);
  for (const cells of bounds) assert.match(cells[2] ?? '', /^-?\d+\.\d+(×| ms| MB| KB)$/, cells.join('|'));

  const numbers = /^\d+(\.\d+)?$/;
  const portico = rowsBelow(page, '## Server CPU, microseconds a request').map((cells) => cells[1] ?? '');
  assert.equal(portico.filter((cell) => numbers.test(cell)).length, 9, page);
  const logged = rowsBelow(page, '### With the access log on');
  assert.equal(logged.flat().filter((cell) => numbers.test(cell)).length, 27, page);
  const growth = rowsBelow(page, '## More of everything');
  assert.equal(growth.flat().filter((cell) => numbers.test(cell)).length, 14 * 2, page);
  const latency = rowsBelow(page, '## Response times at a constant rate');
  assert.equal(latency.flat().filter((cell) => numbers.test(cell)).length, 8 * 6, page);
  const footprint = rowsBelow(page, '## Start and memory');
  assert.equal(footprint.flat().filter((cell) => /^-?\d+(\.\d+)?$/.test(cell)).length, 4 * 3, page);
});
