import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { HealthConfig, HttpCheckConfig, ServerConfig } from '../../../src/config/config.ts';
import type { HealthReport } from '../../../src/ipc/message.ts';
import { metricNames } from '../../../src/metrics/names.ts';
import { HealthProber, type HealthProberOptions } from '../../../src/primary/health-prober.ts';
import type { Lookup } from '../../../src/upstream/resolver.ts';
import type { NameSource } from '../../../src/upstream/upstream.ts';
import { FakeRecorder } from '../../support/fake-recorder.ts';
import { upstreamConfig } from '../../support/proxied.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { type OriginOptions, type OriginScript, ScriptedOrigin } from '../../support/scripted-origin.ts';
import { waitFor } from '../../support/wait-for.ts';

const fine = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nready';

type HealthChanges = Omit<Partial<HealthConfig>, 'check'> & { readonly check?: Partial<HttpCheckConfig> | 'tcp' };

function healthConfig({ check = {}, ...changes }: HealthChanges = {}): HealthConfig {
  const http: HttpCheckConfig = { kind: 'http', method: 'GET', path: '/healthz', headers: {}, status: [[200, 399]] };
  return {
    interval: 100,
    timeout: 300,
    rise: 2,
    fall: 2,
    jitter: 10,
    startAs: 'up',
    ...changes,
    check: check === 'tcp' ? { kind: 'tcp' } : { ...http, ...check },
  };
}

/** A prober and what it said. Closed with the test. */
class Probing {
  readonly recorder = new FakeRecorder();
  readonly logger = new RecordingLogger();
  readonly reports: HealthReport[] = [];
  readonly prober: HealthProber;

  constructor(t: TestContext, options: Partial<HealthProberOptions> = {}) {
    const announce = (report: HealthReport) => void this.reports.push(report);
    this.prober = new HealthProber({ logger: this.logger, recorder: this.recorder, announce, ...options });
    t.after(() => this.prober.close());
  }

  check(servers: readonly ServerConfig[], changes: HealthChanges = {}): this {
    this.prober.applyConfig({ app: upstreamConfig(servers, { health: healthConfig(changes) }) });
    return this;
  }

  result(server: ServerConfig, result: string): number {
    return this.recorder.value(metricNames.upstreamHealthChecks, { upstream: 'app', server: server.name, result });
  }

  changes(server: ServerConfig, to: string): number {
    return this.recorder.value(metricNames.upstreamHealthChanges, { upstream: 'app', server: server.name, to });
  }

  health(server: ServerConfig): string | undefined {
    return this.prober.status().find(({ server: name }) => name === server.name)?.health;
  }

  reason(server: ServerConfig): string | undefined {
    return this.prober.status().find(({ server: name }) => name === server.name)?.reason;
  }

  async becomes(server: ServerConfig, health: string): Promise<void> {
    await waitFor(() => this.health(server) === health, `${server.name} to be ${health}`);
  }
}

async function originOf(t: TestContext, script: OriginScript, options?: OriginOptions): Promise<ScriptedOrigin> {
  const origin = await ScriptedOrigin.start(script, options);
  t.after(() => origin.close());
  return origin;
}

function namesOf(addresses: Lookup): NameSource {
  return { configure: () => {}, addresses, services: () => {} };
}

test('a server that answers well is up; it was asked for the path, with its address as host, and to close', async (t) => {
  const origin = await originOf(t, (socket) => socket.end(fine));
  const probing = new Probing(t).check([origin.server()]);
  assert.equal(probing.health(origin.server()), 'unknown');
  await probing.becomes(origin.server(), 'up');
  const lines = origin.requests[0]?.head.split('\r\n') ?? [];
  assert.equal(lines[0], 'GET /healthz HTTP/1.1');
  assert.ok(lines.includes(`Host: 127.0.0.1:${origin.port}`) && lines.includes('Connection: close'));
  assert.equal(probing.reports.filter(({ complete }) => !complete).length, 0, 'nothing has changed');
});

test('host, method and fields are sent as configured', async (t) => {
  const origin = await originOf(t, (socket) => socket.end('HTTP/1.1 204 No Content\r\nContent-Length: 100\r\n\r\n'));
  const check = { method: 'HEAD', path: '/up?deep=1', host: 'shop.example', headers: { 'User-agent': 'me' } } as const;
  const probing = new Probing(t).check([origin.server()], { check });
  await probing.becomes(origin.server(), 'up');
  const { head } = origin.requests[0] as { head: string };
  assert.match(head, /^HEAD \/up\?deep=1 HTTP\/1\.1\r\nHost: shop\.example\r\nUser-agent: me\r\nAccept/);
});

const failures: [
  what: string,
  result: string,
  reason: RegExp,
  script: OriginScript,
  check?: Partial<HttpCheckConfig>,
][] = [
  ['answers with another status', 'status', /^status 503$/, (socket) => socket.end('HTTP/1.1 503 No\r\n\r\n')],
  [
    'answers with another body',
    'body',
    /the body/,
    (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nsick'),
    { body: { text: 'ready' } },
  ],
  [
    'answers with a body that the expression does not match',
    'body',
    /the body/,
    (socket) => socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsick\r\n0\r\n\r\n'),
    { body: { matches: '^ready$' } },
  ],
  ['answers with garbage', 'protocol', /^no HTTP/, (socket) => socket.write('\0\x01garbage\r\n\r\n')],
  ['closes without a word', 'reset', /without an answer/, (socket) => socket.end()],
  ['closes in the middle', 'reset', /within the answer/, (socket) => socket.end('HTTP/1.1 200')],
  ['resets the connection', 'reset', /ECONNRESET/, (socket) => socket.resetAndDestroy()],
  ['says nothing', 'timeout', /no whole answer within/, () => {}],
  ['sends a head that never ends', 'protocol', /no HTTP/, (socket) => trickle(socket, 'HTTP/1.1 200 OK\r\nA: ', 'a')],
  [
    'sends a body that is too long to have the text',
    'body',
    /the body/,
    (socket) => trickle(socket, 'HTTP/1.1 200 OK\r\n\r\n', 'x'),
    { body: { text: 'ready' } },
  ],
  [
    'sends a body a byte at a time',
    'timeout',
    /no whole answer within/,
    (socket) => drip(socket, 'HTTP/1.1 200 OK\r\n\r\n'),
    { body: { text: 'ready' } },
  ],
];

/** Writes for ever, as fast as it is read. */
function trickle(socket: Socket, head: string, byte: string): void {
  const piece = byte.repeat(8192);
  const write = (): void => {
    if (!socket.destroyed) socket.write(piece, () => setImmediate(write));
  };
  socket.write(head, write);
}

function drip(socket: Socket, head: string): void {
  socket.write(head);
  const timer = setInterval(() => socket.write('r'), 20);
  socket.on('close', () => clearInterval(timer));
}

for (const [what, result, reason, script, check = {}] of failures) {
  test(`a server that ${what} is down, and its sockets are gone soon`, async (t) => {
    const origin = await originOf(t, script);
    const server = origin.server();
    const probing = new Probing(t).check([server], { check });
    await probing.becomes(server, 'down');
    assert.match(probing.reason(server) ?? '', reason);
    assert.ok(probing.result(server, result) >= 1);
    const [message] = probing.logger.messages('warn');
    assert.match(message ?? '', new RegExp(`^server ${server.name} of upstream app is down: `));
    probing.prober.close();
    await waitFor(() => origin.open === 0, 'the connections to be closed');
  });
}

test('a server whose good answer never ends is up, and no more than a bounded part is read', async (t) => {
  let written = 0;
  const origin = await originOf(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    const write = (): void => {
      if (socket.destroyed) return;
      written += 8192;
      socket.write(Buffer.alloc(8192), () => setImmediate(write));
    };
    write();
  });
  const probing = new Probing(t).check([origin.server()], { interval: 60_000 });
  await probing.becomes(origin.server(), 'up');
  await waitFor(() => origin.connections > 0 && origin.open === 0, 'the connection to be closed');
  assert.ok(written < 16 * 1024 * 1024, `${written} bytes went out`);
});

test('a server that nobody listens at is down with the reason of the system', async (t) => {
  const origin = await ScriptedOrigin.answering(fine);
  const server = origin.server();
  await origin.close();
  const probing = new Probing(t).check([server]);
  await probing.becomes(server, 'down');
  assert.match(probing.reason(server) ?? '', /ECONNREFUSED/);
  assert.ok(probing.result(server, 'refused') >= 1);
});

test('a server goes down after `fall` failures and comes back after `rise` passes; each is told, logged and counted once', async (t) => {
  let sick = false;
  const origin = await originOf(t, (socket) => socket.end(sick ? 'HTTP/1.1 500 Oh\r\n\r\n' : fine));
  const server = origin.server();
  const probing = new Probing(t).check([server], { rise: 3, fall: 4 });
  await probing.becomes(server, 'up');
  sick = true;
  await probing.becomes(server, 'down');
  assert.equal(probing.result(server, 'status'), 4);
  const passed = probing.result(server, 'passed');
  sick = false;
  await probing.becomes(server, 'up');
  assert.equal(probing.result(server, 'passed') - passed, 3);
  await waitFor(() => probing.reports.length === 3, 'both changes to be told');
  assert.deepEqual(
    probing.reports.map(({ complete, servers }) => [complete, servers[0]?.up, servers[0]?.reason]),
    [
      [true, true, undefined],
      [false, false, 'health check: status 500'],
      [false, true, undefined],
    ],
  );
  assert.deepEqual([probing.changes(server, 'down'), probing.changes(server, 'up')], [1, 1]);
  assert.equal(probing.logger.messages('warn').length, 1);
  assert.equal(probing.logger.messages('info').length, 1);
});

test('a check over a Unix socket', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'portico-health-'));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const origin = await originOf(t, (socket) => socket.end(fine), { socketPath: join(folder, 'app.sock') });
  const probing = new Probing(t).check([origin.server()], { check: { body: { matches: '^rea.y$' } } });
  await probing.becomes(origin.server(), 'up');
  assert.match(origin.requests[0]?.head ?? '', /\r\nHost: localhost\r\n/);
});

test('a check of another port', async (t) => {
  const app = await originOf(t, (socket) => socket.end('HTTP/1.1 500 Oh\r\n\r\n'));
  const side = await originOf(t, (socket) => socket.end(fine));
  const probing = new Probing(t).check([app.server()], { port: side.port });
  await probing.becomes(app.server(), 'up');
  assert.equal(app.connections, 0);
  assert.match(side.requests[0]?.head ?? '', new RegExp(`\r\nHost: 127\\.0\\.0\\.1:${side.port}\r\n`));
});

test('a check that only connects sends nothing', async (t) => {
  let received = 0;
  const onConnection = (socket: Socket): boolean => {
    socket.on('data', ({ length }) => (received += length));
    return true;
  };
  const origin = await originOf(t, () => {}, { onConnection });
  const server = origin.server();
  const probing = new Probing(t).check([server], { check: 'tcp' });
  await probing.becomes(server, 'up');
  await waitFor(() => origin.open === 0, 'the connection to be closed');
  assert.equal(received, 0);
  await origin.close();
  await probing.becomes(server, 'down');
});

test('a name is looked up once for many checks; one that has several addresses is up while one of them answers', async (t) => {
  const origin = await originOf(t, (socket) => socket.end(fine));
  let lookups = 0;
  const probing = new Probing(t, {
    names: namesOf((_host, found) => {
      lookups++;
      setImmediate(() => found(undefined, ['127.0.0.9', '127.0.0.1']));
    }),
  });
  const server = { ...origin.server(), name: 'app.test:1', address: { host: 'app.test', port: origin.port } };
  probing.check([server], { fall: 3 });
  await waitFor(() => probing.result(server, 'passed') >= 5, 'five passed checks');
  assert.equal(lookups, 1);
  assert.equal(probing.health(server), 'up');
});

test('a name that does not resolve, or not in time, is down', async (t) => {
  for (const lookup of [undefined, () => {}]) {
    const failing: Lookup = (_host, found) => setImmediate(() => found(new Error('no such name'), []));
    const probing = new Probing(t, { names: namesOf(lookup ?? failing) });
    const [template] = [(await originOf(t, () => {})).server()];
    const server = { ...template, name: 'app.test:1', address: { host: 'app.test', port: 1 } };
    probing.check([server]);
    await probing.becomes(server, 'down');
    assert.ok(probing.result(server, 'unresolved') >= 1);
    assert.match(probing.reason(server) ?? '', lookup === undefined ? /no such name/ : /not resolved within 300 ms/);
  }
});

test('servers that a name stands for are checked each by itself, come and go with it, and workers are told', async (t) => {
  const origin = await originOf(t, (socket) => socket.end(fine));
  let records = [{ name: 'a.test', port: origin.port, priority: 0, weight: 1 }];
  const addresses: Lookup = (_host, found) => setImmediate(() => found(undefined, ['127.0.0.1']));
  const names: NameSource = {
    configure: () => {},
    addresses,
    services: (_name, found) => setImmediate(() => found(undefined, records)),
  };
  const probing = new Probing(t, { names });
  const { name: _name, address: _address, ...template } = origin.server();
  const discovered = [{ name: 'srv://app.test', source: { service: 'app.test' }, interval: 100, template }];
  probing.prober.applyConfig({ app: upstreamConfig([], { health: healthConfig(), discovered }) });
  const shown = () => probing.prober.status().map(({ server, health }) => `${server} ${health}`);
  await waitFor(() => shown().join() === `a.test:${origin.port} up`, 'the first server to be up');
  records = [{ name: 'b.test', port: origin.port, priority: 0, weight: 1 }];
  await waitFor(() => shown().join() === `b.test:${origin.port} up`, 'the second server to be up');
  const told = probing.reports
    .filter(({ complete }) => complete)
    .map(({ servers }) => servers.map((one) => one.server));
  assert.deepEqual(told, [[], [`a.test:${origin.port}`], [`b.test:${origin.port}`]]);
});

test('a reload keeps the state of servers that stay, starts the checks of new ones and ends those of old ones', async (t) => {
  const [kept, gone, added] = await Promise.all([
    originOf(t, (socket) => socket.end('HTTP/1.1 500 Oh\r\n\r\n')),
    originOf(t, (socket) => socket.end(fine)),
    originOf(t, (socket) => socket.end(fine)),
  ]);
  const probing = new Probing(t).check([kept.server(), gone.server()]);
  await probing.becomes(kept.server(), 'down');
  await probing.becomes(gone.server(), 'up');
  probing.check([kept.server(), added.server()], { interval: 150 });
  assert.deepEqual(probing.reports.at(-1)?.complete, true);
  assert.deepEqual(
    probing.reports.at(-1)?.servers.map(({ server, up }) => [server, up]),
    [
      [kept.server().name, false],
      [added.server().name, true],
    ],
  );
  assert.equal(probing.health(kept.server()), 'down');
  assert.equal(probing.health(gone.server()), undefined);
  await probing.becomes(added.server(), 'up');
  await waitFor(() => gone.open === 0, 'the last check of the server that is gone');
  const asked = gone.connections;
  const checks = kept.connections;
  await waitFor(() => kept.connections >= checks + 3, 'three more checks of the server that stays');
  assert.equal(gone.connections, asked);
});

test('a server that counts as down until it was checked is reported so, and comes up with the first pass', async (t) => {
  const origin = await originOf(t, (socket) => socket.end(fine));
  const probing = new Probing(t).check([origin.server()], { startAs: 'down', rise: 10 });
  assert.deepEqual(probing.reports[0]?.servers[0]?.up, false);
  await probing.becomes(origin.server(), 'up');
  assert.equal(probing.result(origin.server(), 'passed'), 1);
});

test('of many servers that hang only so many are asked at a time, all get their turn, and one warning says so', async (t) => {
  let most = 0;
  const hanging = await originOf(t, () => {}, {
    onConnection: (socket) => {
      socket.resume();
      most = Math.max(most, hanging.open);
      return true;
    },
  });
  // One origin under many names: each is a server of its own.
  const servers = Array.from({ length: 60 }, (_, index) => ({ ...hanging.server(), name: `server-${index}:1` }));
  const probing = new Probing(t, { maxConcurrent: 10 }).check(servers, { timeout: 50, interval: 100, fall: 1 });
  for (const server of servers) await probing.becomes(server, 'down');
  assert.ok(most <= 10, `${most} connections at a time`);
  await waitFor(() => hanging.connections > 130, 'a second round');
  assert.ok(most <= 10, `${most} connections at a time`);
  assert.equal(probing.logger.messages('warn').filter((message) => message.includes('are late')).length, 1);
});
