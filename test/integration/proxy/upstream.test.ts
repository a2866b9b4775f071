import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, test } from 'node:test';
import type { Lookup } from '../../../src/upstream/resolver.ts';
import { Proxied, upstreamConfig } from '../../support/proxied.ts';
import { ScriptedOrigin } from '../../support/scripted-origin.ts';
import { serverConfig } from '../../support/server-config.ts';
import { waitFor } from '../../support/wait-for.ts';

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi';
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

function closing<T extends { close(): unknown }>(thing: T): T {
  closers.unshift(() => thing.close());
  return thing;
}

const origin = async (
  ...options: Parameters<typeof ScriptedOrigin.answering> extends [string, ...infer Rest] ? Rest : never
) => closing(await ScriptedOrigin.answering(ok, ...options));

describe('requests over several servers', () => {
  test('are shared evenly, one by one', async () => {
    const origins = [await origin(), await origin()];
    const proxied = closing(new Proxied(origins.map((one) => one.server())));
    for (let turn = 0; turn < 100; turn++) await proxied.ask();
    assert.deepEqual(
      origins.map(({ requests }) => requests.length),
      [50, 50],
    );
    assert.deepEqual(
      origins.map(({ connections }) => connections),
      [1, 1],
    );
  });

  test('are shared by weight, also many at a time', async () => {
    const origins = [await origin(), await origin()];
    const proxied = closing(
      new Proxied([origins[0]?.server(3), origins[1]?.server(1)].filter((one) => one !== undefined)),
    );
    await Promise.all(Array.from({ length: 100 }, () => proxied.ask()));
    assert.deepEqual(
      origins.map(({ requests }) => requests.length),
      [75, 25],
    );
  });

  test('lose no GET when one of the servers is killed under load', async () => {
    const slow = async () =>
      closing(await ScriptedOrigin.start((socket) => setTimeout(() => !socket.destroyed && socket.write(ok), 2)));
    const [one, other] = [await slow(), await slow()];
    const proxied = closing(new Proxied([one.server(), other.server()]));
    const killedName = one.server().name;
    const statuses: number[] = [];
    let killed: Promise<void> | undefined;
    const client = async () => {
      for (let turn = 0; turn < 60; turn++) {
        statuses.push((await proxied.ask()).status);
        if (statuses.length === 200) killed = one.kill();
      }
    };
    await Promise.all(Array.from({ length: 16 }, client));
    await killed;
    assert.equal(statuses.length, 960);
    assert.deepEqual(
      statuses.filter((status) => status !== 200),
      [],
    );
    assert.ok(other.requests.length > 700);
    assert.equal(proxied.upstream.states().find(({ server }) => server === killedName)?.up, false);
  });
});

describe('a Unix socket', () => {
  test('is asked like any server', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'portico-'));
    closers.push(() => rm(folder, { recursive: true }));
    const one = await origin({ socketPath: join(folder, 'app.sock') });
    const proxied = closing(new Proxied([one.server()], {}, { host: 'upstream' }));
    for (let turn = 0; turn < 3; turn++) assert.equal((await proxied.ask()).responseBody.toString(), 'hi');
    assert.equal(one.connections, 1);
    assert.match(one.requests[0]?.head ?? '', /\r\nHost: localhost\r\n/);
  });
});

describe('a server over IPv6', () => {
  test('is asked like any server', async (context) => {
    const one = await ScriptedOrigin.answering(ok, { host: '::1' }).catch(() => undefined);
    if (one === undefined) return context.skip('no IPv6 on this machine');
    closing(one);
    const proxied = closing(new Proxied([one.server()], {}, { host: 'upstream' }));
    assert.equal((await proxied.ask()).status, 200);
    assert.match(one.requests[0]?.head ?? '', new RegExp(`\\r\\nHost: \\[::1\\]:${one.port}\\r\\n`));
    return undefined;
  });
});

describe('a server with a name', () => {
  const named = (port: number) => serverConfig({ host: 'app.test', port });

  test('is looked up, and all its addresses are tried', async () => {
    const one = await origin();
    const lookup: Lookup = (_host, found) => setImmediate(found, undefined, ['127.0.0.2', '127.0.0.3', '127.0.0.1']);
    const proxied = closing(new Proxied([named(one.port)], {}, {}, lookup));
    const exchange = await proxied.ask({ method: 'POST', body: 'x' });
    assert.equal(exchange.status, 200);
    assert.equal(exchange.context?.upstream?.tries, 1);
    assert.equal(proxied.upstream.states()[0]?.up, true);
  });

  test('that does not resolve gives 502, and works once it does', async () => {
    const one = await origin();
    let answer: readonly [Error | undefined, readonly string[]] = [new Error('getaddrinfo ENOTFOUND app.test'), []];
    const lookup: Lookup = (_host, found) => setImmediate(found, ...answer);
    const proxied = closing(new Proxied([named(one.port)], {}, {}, lookup));
    const exchange = await proxied.ask();
    assert.equal(exchange.status, 502);
    assert.match(exchange.context?.error?.message ?? '', /ENOTFOUND/);
    answer = [undefined, ['127.0.0.1']];
    await waitFor(async () => (await proxied.ask()).status === 200, 'the name to resolve');
  });

  test('that moves takes its kept connections along', async () => {
    const old = await ScriptedOrigin.answering(ok, { host: '127.0.0.1' });
    closing(old);
    const moved = closing(await ScriptedOrigin.answering(ok, { host: '127.0.0.2', port: old.port }));
    let addresses = ['127.0.0.1'];
    const lookup: Lookup = (_host, found, timeToLive) => {
      timeToLive(0);
      setImmediate(found, undefined, addresses);
    };
    const proxied = closing(new Proxied([named(old.port)], {}, {}, lookup));
    await proxied.ask();
    addresses = ['127.0.0.2'];
    await waitFor(async () => {
      await proxied.ask();
      return moved.requests.length > 0;
    }, 'a request to the new address');
    await proxied.ask();
    assert.equal(moved.requests.length, 2);
  });
});

describe('idle connections', () => {
  test('are closed after their time', async () => {
    const one = await origin();
    const proxied = closing(new Proxied([one.server()], { keepAlive: { idleTimeout: 60 } }));
    await Promise.all([proxied.ask(), proxied.ask()]);
    assert.equal(one.open, 2);
    await waitFor(() => one.open === 0, 'the end of the connections');
    assert.equal((await proxied.ask()).status, 200);
    assert.equal(one.connections, 3);
  });

  test('are not more than allowed', async () => {
    const one = await origin();
    const proxied = closing(new Proxied([one.server()], { keepAlive: { maxIdle: 2 } }));
    await Promise.all(Array.from({ length: 5 }, () => proxied.ask()));
    await waitFor(() => one.open <= 2, 'the end of the surplus');
    assert.equal(proxied.upstream.states()[0]?.idle, 2);
  });

  test('are none when none are allowed, and the server is told', async () => {
    const one = await origin();
    const proxied = closing(new Proxied([one.server()], { keepAlive: { maxIdle: 0 } }));
    await proxied.ask();
    await proxied.ask();
    assert.equal(one.connections, 2);
    assert.match(one.requests[0]?.head ?? '', /\r\nConnection: close(\r\n|$)/);
    await waitFor(() => one.open === 0, 'the end of the connections');
  });
});

describe('a reload', () => {
  test('keeps the connections of servers that stay and closes those of servers that go', async () => {
    const [stays, goes, comes] = [await origin(), await origin(), await origin()];
    const proxied = closing(new Proxied([stays.server(), goes.server()]));
    for (let turn = 0; turn < 4; turn++) await proxied.ask();
    proxied.upstream.reconfigure(upstreamConfig([stays.server(), comes.server()]));
    await waitFor(() => goes.open === 0, 'the end of the connections');
    for (let turn = 0; turn < 4; turn++) await proxied.ask();
    assert.equal(stays.connections, 1);
    assert.deepEqual(
      [stays, goes, comes].map(({ requests }) => requests.length),
      [4, 2, 2],
    );
  });

  test('lets requests to a server that goes finish', async () => {
    let answer = (): void => {};
    const slow = closing(await ScriptedOrigin.start((socket) => void (answer = () => void socket.write(ok))));
    const proxied = closing(new Proxied([slow.server()]));
    const exchange = proxied.begin();
    await waitFor(() => slow.requests.length > 0, 'the request');
    proxied.upstream.reconfigure(upstreamConfig([(await origin()).server()]));
    answer();
    await exchange.finished;
    assert.equal(exchange.status, 200);
    await waitFor(() => slow.open === 0, 'the end of the connection');
  });

  test('that removes the upstream lets its requests finish too', async () => {
    let answer = (): void => {};
    const slow = closing(await ScriptedOrigin.start((socket) => void (answer = () => void socket.write(ok))));
    const proxied = new Proxied([slow.server()]);
    const exchange = proxied.begin();
    await waitFor(() => slow.requests.length > 0, 'the request');
    proxied.close();
    answer();
    await exchange.finished;
    assert.equal(exchange.status, 200);
    await waitFor(() => slow.open === 0, 'the end of the connection');
  });
});
