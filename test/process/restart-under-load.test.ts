import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { Gunicorn, gunicornMissing, prepareDjango } from '../support/gunicorn.ts';
import { httpGet } from '../support/http-get.ts';
import { LoadClients } from '../support/load-clients.ts';
import { RunningPortico } from '../support/running-portico.ts';
import { waitFor } from '../support/wait-for.ts';

const restarts = 3;

describe('a restart of Gunicorn under load', { skip: gunicornMissing() ?? false }, () => {
  let folder = '';

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'portico-restart-'));
    await prepareDjango(folder);
  });
  after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

  for (const kind of ['TCP', 'Unix'] as const) {
    test(`costs no GET over a ${kind} socket`, async (t) => {
      const at = kind === 'TCP' ? await freePort() : join(folder, 'run', 'restart.sock');
      const url = typeof at === 'number' ? `127.0.0.1:${at}` : `unix:${at}`;
      let gunicorn = await Gunicorn.start(folder, 'first', at);
      t.after(() => gunicorn.stop());
      const portico = await RunningPortico.start(t, siteOf(url), { workers: 2 });
      const clients = new LoadClients(16, portico.port, '/whoami/');
      t.after(() => clients.stop());
      for (let restart = 0; restart < restarts; restart++) {
        const answered = clients.answered;
        await waitFor(() => clients.answered > answered + 100, 'some load');
        await gunicorn.stop();
        await waitFor(async () => (await portico.metric('portico_upstream_held_requests')) > 0, 'requests to wait');
        gunicorn = await Gunicorn.start(folder, `restart-${restart}`, at);
      }
      const answered = clients.answered;
      await waitFor(() => clients.answered > answered + 100, 'load after the last restart');
      await clients.stop();
      assert.equal(clients.failed, 0, portico.process.output.err);
      assert.equal(await portico.metric('portico_upstream_held_requests'), 0);
      assert.match(portico.process.output.err, /no server of upstream app is up; requests wait up to 10000 ms/);
      assert.match(portico.process.output.err, /a server of upstream app is up again/);
    });
  }

  test('that takes longer than requests wait ends them with 502', async (t) => {
    const port = await freePort();
    const portico = await RunningPortico.start(t, siteOf(`127.0.0.1:${port}`, 'waitForUpstream: 300ms'));
    const { status, body } = await httpGet(portico.port, '/whoami/');
    assert.equal(status, 502);
    assert.match(body, /upstream_unreachable/);
    assert.equal(await portico.metric('portico_upstream_rejected_total', 'hold_timeout'), 1);
  });
});

function siteOf(url: string, more = ''): string {
  return `accessLog: false
upstreams: { app: { servers: ["${url}"], ${more} } }
sites: [{ routes: [{ path: /, proxy: { upstream: app } }] }]
`;
}
