import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { after, type TestContext, test } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { OcspAuthority } from '../support/ocsp-authority.ts';
import { RunningPortico } from '../support/running-portico.ts';
import { waitFor } from '../support/wait-for.ts';

const authority = await OcspAuthority.start();
after(() => authority.close());
const hello = 'accessLog: false\nsites: [{ routes: [{ path: /, respond: { body: hello } }] }]\n';

/** The responder that comes with openssl, on a port of its own. */
async function startResponder(t: TestContext, port: number): Promise<void> {
  const { certificate, key } = authority.made.root;
  const who = ['-CA', certificate, '-rsigner', certificate, '-rkey', key, '-ndays', '2'];
  const args = ['ocsp', '-port', String(port), '-index', authority.indexOf('V'), ...who];
  const responder = spawn('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [responder.stdout, responder.stderr])
    stream.on('data', (text: Buffer) => (said += String(text)));
  t.after(async () => {
    if (responder.exitCode !== null) return;
    responder.kill('SIGKILL');
    await once(responder, 'exit');
  });
  // It serves one connection after the other: to knock at its port would hold it up.
  await waitFor(() => said.includes('ACCEPT'), 'the responder');
}

/** What `openssl s_client -status` shows, having checked the response. */
function status(port: number, version: string): string {
  const target = ['-connect', `127.0.0.1:${port}`, '-servername', 'example.com', '-CAfile', authority.made.authority];
  const args = ['s_client', ...target, '-status', version];
  return spawnSync('openssl', args, { encoding: 'utf8', input: '', timeout: 20_000 }).stdout;
}

test('every worker staples what the responder of openssl says, asked once', async (t) => {
  const port = await freePort();
  await startResponder(t, port);
  const certificates = [authority.make('served', ['example.com'], { url: `http://127.0.0.1:${port}/` })];
  const portico = await RunningPortico.start(t, hello, { workers: 2, tls: { certificates } });
  await portico.process.waitForError(/a good OCSP response about example\.com is stapled, valid until/);
  const isStapled = (text: string): boolean =>
    /OCSP Response Status: successful/.test(text) && /Cert Status: good/.test(text);
  await waitFor(() => isStapled(status(portico.port, '-tls1_3')), 'the staple');
  for (const version of ['-tls1_2', '-tls1_3']) {
    // Often enough to meet both workers.
    for (let count = 0; count < 8; count += 1) assert.ok(isStapled(status(portico.port, version)), version);
  }
  assert.equal(await portico.metric('portico_tls_ocsp_fetches_total', 'result="good"'), 1);
  const until = await portico.metric('portico_tls_ocsp_staple_valid_until_timestamp_seconds', '"example.com"');
  assert.ok(Math.abs(until - Date.now() / 1000 - 2 * 86_400) < 600);
});

test('a worker that takes the place of a dead one staples from its first handshake on', async (t) => {
  const certificates = [authority.make('again', ['example.com'])];
  const portico = await RunningPortico.start(t, hello, { workers: 1, tls: { certificates } });
  await portico.process.waitForError(/a good OCSP response about example\.com is stapled/);
  const [pid] = portico.process.workerPids();
  process.kill(pid ?? 0, 'SIGKILL');
  await waitFor(() => portico.process.workerPids().some((one) => one !== pid), 'another worker');
  await waitFor(() => /CONNECTED/.test(status(portico.port, '-tls1_3')), 'its listener');
  assert.match(status(portico.port, '-tls1_3'), /Cert Status: good/);
  assert.equal(authority.requests, 1);
});

test('a reload with ocsp off staples no more', async (t) => {
  const certificates = [authority.make('off', ['example.com'])];
  const portico = await RunningPortico.start(t, hello, { workers: 1, tls: { certificates } });
  await waitFor(() => /Cert Status: good/.test(status(portico.port, '-tls1_3')), 'the staple');
  await portico.rewrite(hello, { workers: 1, tls: { certificates, ocsp: 'off' } });
  assert.equal(await portico.reload(), 'success');
  assert.match(status(portico.port, '-tls1_3'), /OCSP response: no response sent/);
});
