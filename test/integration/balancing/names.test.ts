import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { DiscoveryConfig } from '../../../src/config/config.ts';
import { type DnsRecord, DnsServer } from '../../support/dns-server.ts';
import { Proxied } from '../../support/proxied.ts';
import { ScriptedOrigin } from '../../support/scripted-origin.ts';
import { serverConfig } from '../../support/server-config.ts';
import { waitFor } from '../../support/wait-for.ts';

const template = { weight: 1, maxConnections: undefined, level: 0, state: 'ready' } as const;
const service = '_http._tcp.app.test';
const closers: (() => unknown)[] = [];
let dns: DnsServer;

beforeEach(async () => {
  dns = closing(await DnsServer.start());
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

function closing<T extends { close(): unknown }>(thing: T): T {
  closers.unshift(() => thing.close());
  return thing;
}

const origin = async (options: { host?: string; port?: number } = {}) =>
  closing(await ScriptedOrigin.answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi', options));

function proxiedBy(discovered: DiscoveryConfig['source'], changes: ConstructorParameters<typeof Proxied>[1] = {}) {
  const discovery = { name: 'app', source: discovered, interval: 100, template };
  const resolver = { servers: [dns.address], timeout: 1000, serviceInterval: 100 };
  return closing(new Proxied([], { resolver, discovered: [discovery], ...changes }));
}

const srv = (one: ScriptedOrigin, target: string, priority = 0, weight = 1): DnsRecord => ({
  type: 'SRV',
  target,
  port: one.port,
  priority,
  weight,
});

const namesOf = (proxied: Proxied) => proxied.upstream.servers.map(({ name }) => name).join(' ');

describe('an SRV name', () => {
  beforeEach(() => {
    for (const name of ['one.test', 'two.test', 'three.test']) {
      dns.records.set(name, [{ type: 'A', address: '127.0.0.1' }]);
    }
  });

  test('stands for its servers, by weight, and changes apply by themselves', async () => {
    const [one, two, three] = [await origin(), await origin(), await origin()];
    dns.records.set(service, [srv(one, 'one.test', 0, 3), srv(two, 'two.test', 0, 1)]);
    const proxied = proxiedBy({ service });
    await waitFor(() => proxied.upstream.servers.length === 2, 'two servers');
    for (let turn = 0; turn < 8; turn++) assert.equal((await proxied.ask()).status, 200);
    assert.deepEqual([one.requests.length, two.requests.length], [6, 2]);
    dns.records.set(service, [srv(two, 'two.test'), srv(three, 'three.test')]);
    await waitFor(() => namesOf(proxied).includes('three.test'), 'the new server');
    const before = one.requests.length;
    for (let turn = 0; turn < 8; turn++) assert.equal((await proxied.ask()).status, 200);
    assert.equal(one.requests.length, before);
    assert.equal(three.requests.length, 4);
  });

  test('has backups in the servers of later priorities', async () => {
    const [one, two] = [await origin(), await origin()];
    dns.records.set(service, [srv(two, 'two.test', 20), srv(one, 'one.test', 10)]);
    const proxied = proxiedBy({ service });
    await waitFor(() => proxied.upstream.servers.length === 2, 'two servers');
    for (let turn = 0; turn < 4; turn++) await proxied.ask();
    assert.deepEqual([one.requests.length, two.requests.length], [4, 0]);
    await one.kill();
    assert.equal((await proxied.ask()).status, 200);
    assert.equal(two.requests.length, 1);
  });

  test('keeps its servers while the name server is down', async () => {
    const one = await origin();
    dns.records.set(service, [srv(one, 'one.test')]);
    const proxied = proxiedBy({ service });
    await waitFor(() => proxied.upstream.servers.length === 1, 'a server');
    assert.equal((await proxied.ask()).status, 200);
    dns.records.clear();
    const { length } = dns.questions;
    await waitFor(
      () => dns.questions.slice(length).filter((question) => question.startsWith('SRV')).length >= 2,
      'two more look-ups',
    );
    assert.equal((await proxied.ask()).status, 200);
  });

  test('that does not resolve at the start is seen in the state, and serves once it does', async () => {
    const one = await origin();
    const proxied = proxiedBy({ service }, { waitForUpstream: 10_000 });
    await waitFor(() => proxied.upstream.states()[0]?.lastError !== undefined, 'an error of the look-up');
    const [state] = proxied.upstream.states();
    assert.deepEqual([state?.server, state?.condition, state?.up], ['app', 'unresolved', false]);
    const held = proxied.ask();
    dns.records.set(service, [srv(one, 'one.test')]);
    assert.equal((await held).status, 200);
    assert.deepEqual(
      proxied.upstream.states().map(({ condition }) => condition),
      ['up'],
    );
  });
});

describe('a name with several addresses', () => {
  test('is several servers when each address is one, and they come and go', async () => {
    const one = await origin({ host: '127.0.0.1' });
    const two = await origin({ host: '127.0.0.2', port: one.port });
    dns.records.set('app.test', [{ type: 'A', address: '127.0.0.1' }]);
    const proxied = proxiedBy({ host: 'app.test', port: one.port });
    await waitFor(() => proxied.upstream.servers.length === 1, 'a server');
    await proxied.ask();
    dns.records.set('app.test', [
      { type: 'A', address: '127.0.0.2' },
      { type: 'A', address: '127.0.0.1' },
    ]);
    await waitFor(() => proxied.upstream.servers.length === 2, 'two servers');
    assert.equal(namesOf(proxied), `127.0.0.1:${one.port} 127.0.0.2:${one.port}`);
    for (let turn = 0; turn < 4; turn++) assert.equal((await proxied.ask()).status, 200);
    assert.deepEqual([one.requests.length, two.requests.length], [3, 2]);
  });

  test('is one server otherwise, whose addresses take turns', async () => {
    const one = await origin({ host: '127.0.0.1' });
    const two = await origin({ host: '127.0.0.2', port: one.port });
    dns.records.set('app.test', [
      { type: 'A', address: '127.0.0.1', ttl: 30 },
      { type: 'A', address: '127.0.0.2', ttl: 30 },
    ]);
    const resolver = { servers: [dns.address], timeout: 1000, serviceInterval: 100 };
    const server = serverConfig({ host: 'app.test', port: one.port });
    const proxied = closing(new Proxied([server], { resolver, keepAlive: { maxIdle: 0 } }));
    for (let turn = 0; turn < 6; turn++) assert.equal((await proxied.ask()).status, 200);
    assert.deepEqual([one.requests.length, two.requests.length], [3, 3]);
    assert.equal(proxied.upstream.servers.length, 1);
  });
});
