/** Other protocols beside the cache, on the other engine, and over HTTP/2. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { createNodeEngine } from '../../../src/listener/node-engine.ts';
import { createUwsEngine } from '../../../src/listener/uws-engine.ts';
import { tlsEngine } from '../../support/http2-server.ts';
import { connectHttp2 } from '../../support/http2-websocket.ts';
import { startInProcessWorker } from '../../support/in-process-worker.ts';
import { startProxyWorker } from '../../support/proxied-websockets.ts';
import { RawClient } from '../../support/raw-client.ts';
import { TestCertificates } from '../../support/test-certificates.ts';
import { echo, saying, TunnelOrigin } from '../../support/tunnel-origin.ts';
import { asksForTcp, requestText, upgraded } from '../../support/upgrading-worker.ts';
import { waitFor } from '../../support/wait-for.ts';

const plain = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain';
const certificates = new TestCertificates();
after(() => certificates.remove());

test('the engine that cannot do it passes the request on as an ordinary one', async () => {
  const origin = await TunnelOrigin.start(saying(plain));
  const worker = await startProxyWorker([origin.url], 'upgrade: { protocols: [tcp] }', '', createUwsEngine);
  try {
    const { client, response } = await upgraded(worker.port);
    assert.equal(response.status, 200);
    assert.doesNotMatch(origin.requests[0]?.head ?? '', /upgrade/i);
    client.destroy();
  } finally {
    await worker.close();
    await origin.close();
  }
});

test('HTTP/2 has no upgrades: its requests are ordinary ones', async () => {
  const origin = await TunnelOrigin.start(saying(plain));
  const worker = await startProxyWorker([origin.url], 'upgrade: { protocols: [tcp] }', '', tlsEngine(certificates));
  const client = await connectHttp2(worker.port);
  try {
    const request = client.request({ ':path': '/attach', ':method': 'POST' });
    request.end();
    const [headers] = await once(request, 'response');
    assert.equal(headers[':status'], 200);
    assert.doesNotMatch(origin.requests[0]?.head ?? '', /upgrade/i);
  } finally {
    client.destroy();
    await worker.close();
    await origin.close();
  }
});

test('a cached route asks the application, stores nothing of it and gives it to nobody else', async () => {
  const origin = await TunnelOrigin.start((socket, request, rest) => {
    if (/upgrade/i.test(request.head)) echo(socket, request, rest);
    else socket.write('HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 5\r\n\r\nplain');
  });
  const yaml = [
    'upstreams:',
    `  app: ${JSON.stringify({ servers: [origin.url] })}`,
    'caches: { memory: {} }',
    'sites:',
    '  - routes:',
    '      - path: /',
    '        cache: { zone: memory }',
    '        proxy: { upstream: app, upgrade: { protocols: [tcp] } }',
    '',
  ].join('\n');
  const worker = await startInProcessWorker(yaml, undefined, undefined, undefined, createNodeEngine);
  try {
    const visitor = await RawClient.connect(worker.port);
    for (let index = 0; index < 2; index++) {
      visitor.send(requestText([], 'GET / HTTP/1.1'));
      assert.equal((await visitor.response()).body.toString(), 'plain');
    }
    assert.equal(origin.requests.length, 1);
    const { client, response } = await upgraded(worker.port, asksForTcp, 'GET / HTTP/1.1');
    assert.equal(response.status, 101);
    client.send('x');
    await client.receivedAtLeast(1);
    assert.equal(client.pending.toString(), 'x');
    visitor.send(requestText([], 'GET / HTTP/1.1'));
    assert.equal((await visitor.response()).body.toString(), 'plain');
    assert.equal(origin.requests.length, 2);
    for (const one of [client, visitor]) one.destroy();
  } finally {
    await worker.close();
    await origin.close();
  }
});

for (const [name, limits, route, server, status] of [
  ['a server', '', '', ', maxConnections: 1', 503],
  ['a limit of requests at a time', 'concurrencyLimits: { one: { limit: 1 } }', 'concurrencyLimit: one, ', '', 429],
] as const) {
  test(`a tunnel counts for ${name} until it ends`, async () => {
    const origin = await TunnelOrigin.start();
    const yaml = [
      limits,
      'upstreams:',
      `  app: { servers: [{ url: "${origin.url}"${server} }], queue: { size: 1, timeout: 300ms } }`,
      'sites:',
      `  - routes: [{ path: /, ${route}proxy: { upstream: app, upgrade: { protocols: [tcp] } } }]`,
      '',
    ].join('\n');
    const worker = await startInProcessWorker(yaml, undefined, undefined, undefined, createNodeEngine);
    try {
      const first = await upgraded(worker.port);
      assert.equal(first.response.status, 101);
      const second = await upgraded(worker.port);
      assert.equal(second.response.status, status);
      first.client.reset();
      await waitFor(() => worker.inFlight() === 0, 'the end of the first');
      const third = await upgraded(worker.port);
      assert.equal(third.response.status, 101);
      for (const { client } of [second, third]) client.destroy();
    } finally {
      await worker.close();
      await origin.close();
    }
  });
}
