/** What health checks promise over TCP, over TLS: the same tests once more; and what is of TLS alone. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { metricNames } from '../../../src/metrics/names.ts';
import { HealthProber } from '../../../src/primary/health-prober.ts';
import { FakeRecorder } from '../../support/fake-recorder.ts';
import { upstreamConfig } from '../../support/proxied.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { ScriptedOrigin } from '../../support/scripted-origin.ts';
import { secureOrigins } from '../../support/secure-origins.ts';
import { serverConfig } from '../../support/server-config.ts';
import { TestCertificates } from '../../support/test-certificates.ts';
import { waitFor } from '../../support/wait-for.ts';

const made = secureOrigins.begin();
// An `after` would come before the tests of the imported file.
process.once('exit', () => made.remove());

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const health = { interval: 50, timeout: 300, rise: 1, fall: 1, jitter: 0, startAs: 'up' } as const;

for (const check of [
  { kind: 'tcp' } as const,
  { kind: 'http', method: 'GET', path: '/', headers: {}, status: [[200, 200] as const] } as const,
]) {
  test(`a check of kind ${check.kind} finds a server down whose certificate is not good, and tells why`, async (t) => {
    const { certificate, key } = made.make(`expired-${check.kind}`, ['127.0.0.1'], { days: -1 });
    const tls = { cert: readFileSync(certificate), key: readFileSync(key) };
    const origin = await ScriptedOrigin.answering(ok, { tls });
    t.after(() => origin.close());
    const recorder = new FakeRecorder();
    const prober = new HealthProber({ logger: new RecordingLogger(), recorder, announce: () => {} });
    t.after(() => prober.close());
    const config = upstreamConfig([origin.server()], { health: { ...health, check } });
    prober.applyConfig({ app: config });
    await waitFor(() => prober.status()[0]?.health === 'down', 'the server to be down');
    assert.match(prober.status()[0]?.reason ?? '', /has expired/);
    const labels = { upstream: 'app', server: origin.server().name, result: 'tls' };
    assert.ok(recorder.value(metricNames.upstreamHealthChecks, labels) > 0);
    prober.applyConfig({ app: { ...config, tls: { verify: false } } });
    await waitFor(() => prober.status()[0]?.health === 'up', 'the server to be up where nothing is verified');
  });
}

test('checks are made with other authorities as soon as their file has changed', async (t) => {
  const { certificate, key } = made.make('followed', ['127.0.0.1']);
  const others = new TestCertificates();
  t.after(() => others.remove());
  const tls = { cert: readFileSync(certificate), key: readFileSync(key) };
  const origin = await ScriptedOrigin.answering(ok, { tls });
  t.after(() => origin.close());
  const ca = join(mkdtempSync(join(made.folder, 'watched-')), 'ca.pem');
  copyFileSync(made.authority, ca);
  const prober = new HealthProber({ logger: new RecordingLogger(), recorder: new FakeRecorder(), announce: () => {} });
  t.after(() => prober.close());
  const config = upstreamConfig([origin.server()], { health: { ...health, startAs: 'down', check: { kind: 'tcp' } } });
  prober.applyConfig({ app: { ...config, tls: { verify: true, ca } } });
  const becomes = (wanted: string) =>
    waitFor(() => prober.status()[0]?.health === wanted, `the server to be ${wanted}`);
  await becomes('up');
  copyFileSync(others.authority, ca);
  await becomes('down');
  assert.match(prober.status()[0]?.reason ?? '', /certificate of the server is refused/);
  copyFileSync(made.authority, ca);
  await becomes('up');
});

test('a handshake that does not end fails the check in its time', async (t) => {
  const silent = createServer((socket) => void socket.on('error', () => {}).resume());
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  t.after(() => silent.close());
  const { port } = silent.address() as AddressInfo;
  const prober = new HealthProber({ logger: new RecordingLogger(), recorder: new FakeRecorder(), announce: () => {} });
  t.after(() => prober.close());
  const server = serverConfig({ host: '127.0.0.1', port });
  prober.applyConfig({ app: upstreamConfig([server], { health: { ...health, check: { kind: 'tcp' } } }) });
  await waitFor(() => prober.status()[0]?.health === 'down', 'the server to be down');
  assert.match(prober.status()[0]?.reason ?? '', /no TLS within/);
});

await import('../health/prober.test.ts');
