import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { RunningPortico } from '../support/running-portico.ts';
import { unixGet } from '../support/unix-get.ts';
import { waitFor } from '../support/wait-for.ts';

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const hello = 'accessLog: false\nsites: [{ routes: [{ path: /, respond: { body: hello } }] }]\n';
const token = 'a-token-of-the-test-0123456789';

test('with a token the admin listener tells nothing to those who do not have it but whether it serves', async (t) => {
  const portico = await RunningPortico.start(t, hello);
  const file = join(portico.folder, 'portico.yaml');
  const admin = `http://127.0.0.1:${portico.adminPort}`;
  await portico.rewrite(hello);
  writeFileSync(
    file,
    `listen: ["127.0.0.1:${portico.port}"]\nadmin: { address: "127.0.0.1:${portico.adminPort}", token: ${token} }\nworkers: 2\n${hello}`,
  );
  portico.process.signal('SIGHUP');
  await waitFor(async () => (await fetch(`${admin}/metrics`)).status === 401, 'the token to be asked for');
  for (const path of ['/status', '/metrics', '/', '/nothing']) {
    const { status, headers } = await fetch(`${admin}${path}`);
    assert.deepEqual([status, headers.get('www-authenticate')], [401, 'Bearer'], path);
  }
  for (const path of ['/health', '/ready']) assert.equal((await fetch(`${admin}${path}`)).status, 200, path);
  const headers = { Authorization: `Bearer ${token}` };
  assert.equal((await fetch(`${admin}/status`, { headers })).status, 200);
  const post = { method: 'POST', headers: { 'Content-Type': 'application/json' } };
  assert.equal((await fetch(`${admin}/workers/roll`, post)).status, 401);

  // The commands have it from the configuration, or from their environment.
  assert.equal(purge(['-c', file]), 0);
  assert.notEqual(purge(['--admin', `127.0.0.1:${portico.adminPort}`]), 0);
  assert.equal(purge(['--admin', `127.0.0.1:${portico.adminPort}`], { PORTICO_ADMIN_TOKEN: token }), 0);
});

test('the admin listener moves to a Unix socket at a reload, and takes control requests there', async (t) => {
  const portico = await RunningPortico.start(t, hello);
  const file = join(portico.folder, 'portico.yaml');
  writeFileSync(
    file,
    `listen: ["127.0.0.1:${portico.port}"]\nadmin: { address: "unix:./admin.sock", mode: "0600" }\nworkers: 2\n${hello}`,
  );
  portico.process.signal('SIGHUP');
  const path = join(portico.folder, 'admin.sock');
  // Closed to everybody before it has its mode.
  await waitFor(() => modeOf(path) === 0o600, 'the socket with its mode');
  await waitFor(async () => (await unixGet(path, '/ready')).status === 200, 'an answer');
  assert.equal(purge(['-c', file]), 0);
  assert.equal(await portico.process.stop(), 0);
  assert.equal(statSync(path, { throwIfNoEntry: false }), undefined);
});

function modeOf(path: string): number {
  return (statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o777;
}

/** The exit code of `portico purge --all`. */
function purge(args: readonly string[], env: NodeJS.ProcessEnv = {}): number | null {
  const { status } = spawnSync(process.execPath, [program, 'purge', '--all', ...args], {
    env: { ...process.env, ...env },
  });
  return status;
}
