import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Balancing } from '../../../src/balancer/balancing.ts';
import { lastResort } from '../../../src/balancer/last-resort.ts';
import type { StickyConfig } from '../../../src/config/config.ts';
import { selection, testBalancerContract } from '../../support/balancer-contract.ts';
import { FakeExchange, type FakeRequest } from '../../support/fake-exchange.ts';
import { FakeServer } from '../../support/fake-server.ts';
import { upstreamConfig } from '../../support/proxied.ts';

const sticky: StickyConfig = {
  cookie: 'server',
  secret: 'a secret of some length',
  path: '/',
  secure: 'auto',
  httpOnly: true,
  sameSite: 'lax',
};

function balancing(changes: Partial<StickyConfig> = {}): Balancing<FakeServer> {
  return new Balancing<FakeServer>(upstreamConfig([], { sticky: { ...sticky, ...changes } }));
}

const three = () => [new FakeServer('a'), new FakeServer('b'), new FakeServer('c')] as const;

/** The line that a request gets whose response came from that server. */
function lineFor(
  among: Balancing<FakeServer>,
  servers: readonly FakeServer[],
  server: FakeServer,
  request: FakeRequest = {},
): string | undefined {
  const { context } = selection(undefined, new FakeExchange(request));
  const trace = { upstream: 'app', tries: 1, status: 200, connectMs: 0, headMs: 1, totalMs: undefined };
  context.upstream = { ...trace, server: server.name };
  return among.sessionLine(context, servers, 0);
}

/** A request with the cookie that a client got for that server. */
function withCookieOf(among: Balancing<FakeServer>, servers: readonly FakeServer[], server: FakeServer): FakeRequest {
  const line = lineFor(among, servers, server) ?? '';
  return { fields: { cookie: /Set-Cookie: ([^;]+)/.exec(line)?.[1] ?? '' } };
}

function pick(
  among: Balancing<FakeServer>,
  servers: readonly FakeServer[],
  request: FakeRequest,
  tried?: readonly FakeServer[],
): FakeServer | undefined {
  return among.pick(servers, 0, selection(tried, new FakeExchange(request)));
}

describe('balancing with a sticky cookie', () => {
  testBalancerContract(() => balancing());

  test('a client stays at its server', () => {
    const servers = three();
    const among = balancing();
    for (const server of servers) {
      const request = withCookieOf(among, servers, server);
      for (let turn = 0; turn < 5; turn++) assert.equal(pick(among, servers, request), server);
      assert.equal(lineFor(among, servers, server, request), undefined, 'no cookie once it has one');
    }
  });

  test('another worker, and one after a reload, know the cookie', () => {
    const servers = three();
    const request = withCookieOf(balancing(), servers, servers[1]);
    const other = balancing();
    const anew = servers.map(({ name }) => new FakeServer(name)).toReversed();
    for (let turn = 0; turn < 5; turn++) assert.equal(pick(other, anew, request)?.name, 'b');
    other.configure(upstreamConfig([], { balance: 'least-requests', sticky }));
    for (let turn = 0; turn < 5; turn++) assert.equal(pick(other, anew, request)?.name, 'b');
  });

  test('a cookie of another secret, upstream or fantasy does not choose', () => {
    const servers = three();
    const others = [
      withCookieOf(balancing({ secret: 'quite another secret' }), servers, servers[2]),
      withCookieOf(new Balancing<FakeServer>(upstreamConfig([], { name: 'other', sticky })), servers, servers[2]),
      { fields: { cookie: 'server=c' } },
      { fields: { cookie: 'server=' } },
    ];
    for (const request of others) {
      const among = balancing();
      const picked = new Set([1, 2, 3].map(() => pick(among, servers, request)?.name));
      assert.equal(picked.size, 3);
      assert.match(lineFor(among, servers, servers[0], request) ?? '', /Set-Cookie/);
    }
  });

  test('a server that is drained keeps its clients and gets no others; one that is away does not', () => {
    const servers = three();
    const among = balancing();
    const request = withCookieOf(among, servers, servers[0]);
    servers[0].drained = true;
    for (let turn = 0; turn < 5; turn++) assert.equal(pick(among, servers, request), servers[0]);
    for (let turn = 0; turn < 5; turn++) assert.notEqual(pick(among, servers, {}), servers[0]);
    servers[0].awayUntil = 10;
    const next = pick(among, servers, request) as FakeServer;
    assert.notEqual(next, servers[0]);
    assert.match(lineFor(among, servers, next, request) ?? '', /Set-Cookie/);
  });

  test('a client whose server is saturated goes elsewhere for that once', () => {
    const servers = three();
    const among = balancing();
    const request = withCookieOf(among, servers, servers[0]);
    servers[0].saturated = true;
    const next = pick(among, servers, request) as FakeServer;
    assert.notEqual(next, servers[0]);
    assert.equal(lineFor(among, servers, next, request), undefined);
  });

  test('a request that has failed at its server goes elsewhere', () => {
    const servers = three();
    const among = balancing();
    const request = withCookieOf(among, servers, servers[0]);
    assert.notEqual(pick(among, servers, request, [servers[0]]), servers[0]);
  });

  test('the cookie has the attributes of the configuration, and tells no name', () => {
    const servers = three();
    const plain = lineFor(balancing(), servers, servers[0]);
    assert.match(plain ?? '', /^\r\nSet-Cookie: server=[\w-]{24}; Path=\/; HttpOnly; SameSite=Lax$/);
    const changes = {
      maxAge: 3_600_000,
      path: '/app',
      domain: 'example.com',
      httpOnly: false,
      sameSite: 'none',
    } as const;
    assert.match(
      lineFor(balancing({ ...changes, secure: true }), servers, servers[0]) ?? '',
      /=[\w-]{24}; Path=\/app; Domain=example\.com; Max-Age=3600; SameSite=None; Secure$/,
    );
  });

  test('the cookie is secure by itself where the client came over HTTPS', () => {
    const servers = three();
    const { context } = selection();
    context.client = { address: '192.0.2.1', scheme: 'https', host: 'example.com', port: 443, trusted: false };
    const trace = { upstream: 'app', tries: 1, status: 200, connectMs: 0, headMs: 1, totalMs: undefined };
    context.upstream = { ...trace, server: 'a' };
    assert.match(balancing().sessionLine(context, servers, 0) ?? '', /; Secure$/);
    assert.doesNotMatch(balancing({ secure: false }).sessionLine(context, servers, 0) ?? '', /Secure/);
  });

  test('without the option there is no cookie', () => {
    const servers = three();
    assert.equal(lineFor(new Balancing<FakeServer>(upstreamConfig([])), servers, servers[0]), undefined);
  });
});

describe('the last resort', () => {
  test('is the server that failed longest ago, one not tried before all others', () => {
    const servers = three();
    for (const [index, server] of servers.entries()) server.failedAt = [30, 10, 20][index] as number;
    assert.equal(lastResort(servers), servers[1]);
    assert.equal(lastResort(servers, [servers[1]]), servers[2]);
    assert.equal(lastResort(servers, servers), servers[1]);
  });

  test('is none that the operator has taken out, and none that is saturated', () => {
    const servers = three();
    servers[0].inService = false;
    servers[1].saturated = true;
    assert.equal(lastResort(servers), servers[2]);
    servers[2].inService = false;
    assert.equal(lastResort(servers), undefined);
  });
});
