import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { gunicornMissing } from '../support/gunicorn.ts';
import { httpGet } from '../support/http-get.ts';
import { RunningPortico } from '../support/running-portico.ts';
import { SyncGunicorn } from '../support/sync-gunicorn.ts';
import { type TestCertificate, TestCertificates } from '../support/test-certificates.ts';

const skip = gunicornMissing() ?? false;

async function secureGunicorn(t: TestContext, certificate: TestCertificate): Promise<SyncGunicorn> {
  const gunicorn = await SyncGunicorn.start(certificate);
  t.after(() => gunicorn.stop());
  return gunicorn;
}

test('a Gunicorn with a certificate is asked over TLS, and one whose certificate is bad gets nothing', {
  skip,
}, async (t) => {
  const made = new TestCertificates();
  t.after(() => made.remove());
  const good = await secureGunicorn(t, made.make('good', ['127.0.0.1']));
  const bad = await secureGunicorn(t, made.make('bad', ['127.0.0.1'], { days: -1 }));
  const portico = await RunningPortico.start(
    t,
    `accessLog: false
upstreams:
  app:
    servers: ["https://127.0.0.1:${good.port}", "https://127.0.0.1:${bad.port}"]
    tls: { ca: ${made.authority} }
    health: { path: /, interval: 100ms, fall: 1 }
sites: [{ routes: [{ path: /, proxy: { upstream: app } }] }]
`,
    { workers: 2 },
  );
  for (let turn = 0; turn < 10; turn++) {
    assert.equal((await httpGet(portico.port, '/')).body, 'quick');
    const large = await fetch(`http://127.0.0.1:${portico.port}/large?5242880`);
    assert.equal((await large.arrayBuffer()).byteLength, 5_242_880);
    const body = Buffer.alloc(3_000_000, `turn ${turn}`);
    const answer = await fetch(`http://127.0.0.1:${portico.port}/upload`, { method: 'POST', body });
    assert.equal(await answer.text(), createHash('sha256').update(body).digest('hex'));
  }
  await portico.process.waitForError(
    new RegExp(`${bad.port} of upstream app is down: the certificate of the server is refused`),
  );
  const { body: metrics } = await httpGet(portico.adminPort, '/metrics');
  assert.match(metrics, /portico_upstream_tls_handshakes_total\{[^}]*version="1\.3"[^}]*\} [1-9]/);
});
