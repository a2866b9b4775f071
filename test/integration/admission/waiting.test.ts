import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { metricNames } from '../../../src/metrics/names.ts';
import { freePort } from '../../support/free-port.ts';
import { Proxied } from '../../support/proxied.ts';
import { ScriptedOrigin } from '../../support/scripted-origin.ts';
import { waitFor } from '../../support/wait-for.ts';

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const app = { upstream: 'app' };

describe('while no server is up', () => {
  const things: { close(): unknown }[] = [];
  const closing = <T extends { close(): unknown }>(thing: T): T => {
    things.push(thing);
    return thing;
  };
  after(async () => {
    for (const thing of things) await thing.close();
  });

  function serverAt(port: number) {
    return {
      name: `127.0.0.1:${port}`,
      address: { host: '127.0.0.1', port },
      weight: 1,
      level: 0,
      state: 'ready',
    } as const;
  }

  async function waiting(changes = {}, port?: number) {
    const at = port ?? (await freePort());
    return { port: at, proxied: closing(new Proxied([serverAt(at)], { waitForUpstream: 10_000, ...changes })) };
  }

  const origin = async (port: number, response = ok) => closing(await ScriptedOrigin.answering(response, { port }));

  test('requests wait, and go out when one takes connections: those with a body as well', async () => {
    const { proxied, port } = await waiting();
    const requests = [
      {},
      { method: 'POST', body: 'data' },
      { method: 'DELETE' },
      { method: 'POST', body: 'x', chunked: true },
    ];
    const exchanges = requests.map((request) => proxied.begin(request));
    await waitFor(() => proxied.logger.messages('warn').length > 0, 'the outage to be noticed');
    await waitFor(() => proxied.admission.state.held >= 3, 'them to wait');
    const server = await origin(port);
    await Promise.all(exchanges.map(({ finished }) => finished));
    assert.deepEqual(
      exchanges.map(({ status }) => status),
      [200, 200, 200, 200],
    );
    assert.equal(server.requests.length, 4, 'each was sent once');
    assert.equal(proxied.admission.state.held, 0);
    assert.equal(proxied.recorder.value(metricNames.upstreamHeld, app), 0);
    assert.deepEqual(proxied.logger.messages('info'), ['a server of upstream app is up again']);
  });

  test('the one that is back is used although it was passed over for longer', async () => {
    const { proxied, port } = await waiting({ failBackoff: 60_000 });
    const first = proxied.begin();
    await waitFor(
      () =>
        proxied.recorder.value(metricNames.upstreamFailures, {
          ...app,
          server: `127.0.0.1:${port}`,
          code: 'upstream_unreachable',
        }) > 1,
      'two tries',
    );
    await origin(port);
    await first.finished;
    assert.equal(first.status, 200);
  });

  test('a Unix socket that comes back is found', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'portico-waiting-'));
    after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
    const socketPath = join(folder, 'app.sock');
    const server = {
      name: `unix:${socketPath}`,
      address: { socketPath },
      weight: 1,
      level: 0,
      state: 'ready',
    } as const;
    const proxied = closing(new Proxied([server], { waitForUpstream: 10_000 }));
    const exchange = proxied.begin();
    await waitFor(() => proxied.logger.messages('warn').length > 0, 'the outage to be noticed');
    closing(await ScriptedOrigin.answering(ok, { socketPath }));
    await exchange.finished;
    assert.equal(exchange.status, 200);
  });

  test('a request that waits in vain fails with the last error', async () => {
    const { proxied } = await waiting({ waitForUpstream: 200 });
    const exchanges = await Promise.all([proxied.ask(), proxied.ask()]);
    for (const { status, context } of exchanges) {
      assert.equal(status, 502);
      assert.equal(context?.error?.code, 'upstream_unreachable');
      assert.match(context?.error?.message ?? '', /ECONNREFUSED/);
    }
    assert.equal(proxied.recorder.value(metricNames.upstreamRejected, { ...app, reason: 'hold_timeout' }), 2);
  });

  test('no more than the bound wait; further requests fail at once with 503 and Retry-After', async () => {
    const { proxied } = await waiting({ waitForUpstreamMax: 2 });
    const held = [proxied.begin(), proxied.begin(), proxied.begin()];
    await waitFor(() => proxied.admission.state.held === 2, 'two to wait');
    const refused = await proxied.ask();
    assert.equal(refused.status, 503);
    assert.equal(refused.context?.error?.code, 'upstream_restarting');
    assert.equal(refused.responseFields.get('retry-after'), '1');
    for (const exchange of held) exchange.disconnect();
  });

  test('a client that goes away gives its place up, and nothing is sent for it', async () => {
    const { proxied, port } = await waiting();
    const [gone, stays] = [proxied.begin({ target: '/gone' }), proxied.begin({ target: '/stays' })];
    await waitFor(() => proxied.admission.state.held > 0, 'them to wait');
    gone.disconnect();
    const server = await origin(port);
    await stays.finished;
    assert.equal(stays.status, 200);
    assert.ok(server.requests.every(({ head }) => head.startsWith('GET /stays ')));
  });

  test('with `0s` a request fails at once', async () => {
    const { proxied } = await waiting({ waitForUpstream: 0 });
    assert.equal((await proxied.ask()).status, 502);
    assert.deepEqual(proxied.logger.messages('warn'), []);
  });

  test('requests do not wait for servers that are in maintenance on purpose', async () => {
    const server = { ...serverAt(await freePort()), state: 'maintenance' } as const;
    const exchange = await closing(new Proxied([server], { waitForUpstream: 10_000 })).ask();
    assert.equal(exchange.status, 503);
    assert.equal(exchange.context?.error?.code, 'upstream_maintenance');
    assert.ok(exchange.responseFields.get('retry-after'));
  });

  test('one that checks know to be down is not tried, and takes what waits when they say it is up', async () => {
    const server = await origin(await freePort());
    const { proxied } = await waiting({}, server.port);
    const [checked] = proxied.upstream.servers;
    checked?.setHealth(false, 'answers 500');
    const exchanges = [proxied.begin(), proxied.begin()];
    await waitFor(() => proxied.admission.state.held === 2, 'both to wait');
    checked?.setHealth(true);
    await Promise.all(exchanges.map(({ finished }) => finished));
    assert.deepEqual(
      exchanges.map(({ status }) => status),
      [200, 200],
    );
    assert.equal(server.requests.length, 2);
  });

  test('a request that was reset by the restart waits as well when it may be sent twice', async () => {
    const port = await freePort();
    const dying = closing(await ScriptedOrigin.start(() => void dying.kill(), { port }));
    const { proxied } = await waiting({}, port);
    const exchange = proxied.begin();
    await waitFor(() => proxied.logger.messages('warn').length > 0, 'the outage to be noticed');
    await origin(port);
    await exchange.finished;
    assert.equal(exchange.status, 200);
  });

  test('requests go to those that are still up without waiting', async () => {
    const up = await origin(await freePort());
    const proxied = closing(new Proxied([serverAt(await freePort()), up.server()], { waitForUpstream: 10_000 }));
    const exchanges = await Promise.all(Array.from({ length: 6 }, () => proxied.ask()));
    assert.ok(exchanges.every(({ status }) => status === 200));
    assert.deepEqual(proxied.logger.messages('warn'), []);
  });
});
