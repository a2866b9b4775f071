import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunicornMissing } from '../support/gunicorn.ts';

const soak = fileURLToPath(new URL('../../soak/soak.ts', import.meta.url));

test('servers are killed and restarted, workers replaced and killed, and no request fails', {
  skip: gunicornMissing() ?? false,
  timeout: 120_000,
}, async () => {
  const args = ['--import', 'tsx', soak, '--seconds', '14', '--clients', '8', '--seed', '3'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  const [report, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  await ended;
  assert.equal(child.exitCode, 0, `${report}\n${errors}`);
  assert.match(report, /\| failed requests \| 0 \|/);
  assert.match(report, /\| wrong bodies \| 0 \|/);
  for (const what of [
    'kill -9 of Gunicorn A',
    'restart of both Gunicorns',
    'rolling replacement',
    'reload',
    'kill -9 of a worker',
  ]) {
    assert.ok(report.includes(what), what);
  }
});
