import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import type { ServerConfig, StickyConfig } from '../../../src/config/config.ts';
import { Proxied, upstreamConfig } from '../../support/proxied.ts';
import { ScriptedOrigin } from '../../support/scripted-origin.ts';
import { waitFor } from '../../support/wait-for.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

function closing<T extends { close(): unknown }>(thing: T): T {
  closers.unshift(() => thing.close());
  return thing;
}

const origin = async () => closing(await ScriptedOrigin.answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'));

async function pair(): Promise<[ScriptedOrigin, ScriptedOrigin]> {
  return [await origin(), await origin()];
}

const sticky: StickyConfig = {
  cookie: 'server',
  secret: 'a secret of some length',
  path: '/',
  secure: 'auto',
  httpOnly: true,
  sameSite: 'lax',
};

/** The server that answers a request, and the cookie that it got. */
async function ask(proxied: Proxied, cookie?: string) {
  const exchange = await proxied.ask(cookie === undefined ? {} : { fields: { cookie } });
  assert.equal(exchange.status, 200);
  const given = /Set-Cookie: (server=[^;]+)/.exec(exchange.responseBlock)?.[1];
  return { server: exchange.context?.upstream?.server, given };
}

describe('a sticky cookie', () => {
  test('brings a client back to its server, also after a reload', async () => {
    const origins = await pair();
    const servers = origins.map((one) => one.server());
    const proxied = closing(new Proxied(servers, { sticky }));
    const { server, given } = await ask(proxied);
    assert.ok(given);
    for (let turn = 0; turn < 5; turn++) assert.deepEqual(await ask(proxied, given), { server, given: undefined });
    proxied.upstream.reconfigure(upstreamConfig(servers.toReversed(), { sticky, balance: 'least-requests' }));
    proxied.admission.reconfigure();
    for (let turn = 0; turn < 5; turn++) assert.deepEqual(await ask(proxied, given), { server, given: undefined });
  });

  test('is replaced when its server has died', async () => {
    const origins = await pair();
    const proxied = closing(
      new Proxied(
        origins.map((one) => one.server()),
        { sticky },
      ),
    );
    const { server, given } = await ask(proxied);
    const own = origins.find((one) => one.server().name === server);
    await own?.kill();
    // That a kept connection has died says nothing yet; that the next one is refused does.
    assert.notEqual((await ask(proxied, given)).server, server);
    const moved = await ask(proxied, given);
    assert.notEqual(moved.server, server);
    assert.ok(moved.given);
    assert.deepEqual(await ask(proxied, moved.given), { server: moved.server, given: undefined });
  });
});

describe('a server', () => {
  const configured = (servers: readonly ScriptedOrigin[], first: Partial<ServerConfig>) =>
    servers.map((one, index) => ({ ...one.server(), ...(index === 0 ? first : {}) }));

  test('in drain serves its sessions and no others', async () => {
    const origins = await pair();
    const proxied = closing(new Proxied(configured(origins, {}), { sticky }));
    const drained = origins[0].server().name;
    let own = await ask(proxied);
    await waitFor(async () => {
      if (own.server !== drained) own = await ask(proxied);
      return own.server === drained;
    }, 'a session of the server');
    proxied.upstream.reconfigure(upstreamConfig(configured(origins, { state: 'drain' }), { sticky }));
    for (let turn = 0; turn < 4; turn++) assert.notEqual((await ask(proxied)).server, drained);
    assert.equal((await ask(proxied, own.given)).server, drained);
    proxied.upstream.reconfigure(upstreamConfig(configured(origins, { state: 'maintenance' }), { sticky }));
    assert.notEqual((await ask(proxied, own.given)).server, drained);
    const state = proxied.upstream.states().find(({ server }) => server === drained);
    assert.deepEqual([state?.up, state?.condition], [false, 'maintenance']);
  });

  test('that is put in maintenance at run time stays there over a reload, until it is taken back', async () => {
    const origins = await pair();
    const servers = configured(origins, {});
    const proxied = closing(new Proxied(servers));
    const [first] = proxied.upstream.servers;
    first?.setState('maintenance');
    proxied.upstream.reconfigure(upstreamConfig(servers));
    for (let turn = 0; turn < 4; turn++) await ask(proxied);
    assert.equal(origins[0].requests.length, 0);
    first?.setState(undefined);
    for (let turn = 0; turn < 4; turn++) await ask(proxied);
    assert.equal(origins[0].requests.length, 2);
  });

  test('that is a backup is used while the others are down', async () => {
    const origins = await pair();
    const proxied = closing(new Proxied(configured(origins, { level: 1000 })));
    for (let turn = 0; turn < 4; turn++) await ask(proxied);
    assert.equal(origins[0].requests.length, 0);
    proxied.upstream.servers[1]?.setHealth(false, 'status 500');
    for (let turn = 0; turn < 4; turn++) await ask(proxied);
    assert.equal(origins[0].requests.length, 4);
    proxied.upstream.servers[1]?.setHealth(true);
    for (let turn = 0; turn < 4; turn++) await ask(proxied);
    assert.equal(origins[0].requests.length, 4);
    assert.deepEqual(
      proxied.upstream.states().map(({ backup, condition }) => [backup, condition]),
      [
        [true, 'up'],
        [false, 'up'],
      ],
    );
  });

  test('that comes back with slow start gets little at first', async () => {
    const origins = await pair();
    const proxied = closing(new Proxied(configured(origins, {}), { slowStart: 3_600_000 }));
    const [first] = proxied.upstream.servers;
    first?.setHealth(false, 'status 500');
    first?.setHealth(true);
    for (let turn = 0; turn < 60; turn++) await ask(proxied);
    assert.ok(origins[0].requests.length <= 2, String(origins[0].requests.length));
    assert.ok((proxied.upstream.states()[0]?.effectiveWeight ?? 1) < 0.1);
  });
});
