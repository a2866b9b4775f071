import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freePort } from '../../support/free-port.ts';
import { type InProcessWorker, startInProcessWorker } from '../../support/in-process-worker.ts';
import { proxyYaml, startProxyWorker } from '../../support/proxied-websockets.ts';
import { RawClient, type RawResponse } from '../../support/raw-client.ts';
import { ScriptedOrigin } from '../../support/scripted-origin.ts';
import { waitFor } from '../../support/wait-for.ts';
import { WebSocketClient } from '../../support/websocket-client.ts';
import { WebSocketOrigin, type WebSocketOriginOptions } from '../../support/websocket-origin.ts';

const handshake = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

async function ask(
  port: number,
  lines: readonly string[] = handshake,
  requestLine = 'GET / HTTP/1.1',
): Promise<RawResponse> {
  const client = await RawClient.connect(port);
  try {
    client.send([requestLine, 'Host: example.com', ...lines, '', ''].join('\r\n'));
    return await client.response();
  } finally {
    client.destroy();
  }
}

async function withOrigin(
  options: WebSocketOriginOptions,
  run: (worker: InProcessWorker, origin: WebSocketOrigin) => Promise<void>,
  proxy = '',
  upstream = '',
): Promise<void> {
  const origin = await WebSocketOrigin.start(options);
  const worker = await startProxyWorker([origin.url], proxy, upstream);
  try {
    await run(worker, origin);
  } finally {
    await worker.close();
    await origin.close();
  }
}

for (const status of ['401 Unauthorized', '403 Forbidden', '404 Not Found', '500 Internal Server Error', '200 OK']) {
  test(`an application's ${status} is passed on with its body`, async () => {
    const body = 'no WebSocket here';
    const answer = `HTTP/1.1 ${status}\r\nContent-Type: text/x-app\r\nX-Accel-Redirect: /secret\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
    await withOrigin({ onUpgrade: (_request, connection) => void connection.end(answer) }, async (worker) => {
      const response = await ask(worker.port);
      assert.equal(`${response.status} ${response.reason}`, status);
      assert.equal(response.body.toString(), body);
      assert.equal(response.field('content-type'), 'text/x-app');
      assert.equal(response.field('x-accel-redirect'), undefined);
      assert.match(response.field('x-request-id') ?? '', /^[0-9a-f]{32}$/);
    });
  });
}

test('a refusal without a length is passed on chunked', async () => {
  const answer = 'HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n';
  await withOrigin({ onUpgrade: (_request, connection) => void connection.end(answer) }, async (worker) => {
    const response = await ask(worker.port);
    assert.equal(response.status, 403);
    assert.equal(response.body.toString(), 'abc');
  });
});

test('a refusal without a body, and one that ends too early', async () => {
  await withOrigin(
    {
      onUpgrade: (request, connection) =>
        void connection.end(
          request.url === '/none'
            ? 'HTTP/1.1 204 No Content\r\n\r\n'
            : 'HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\n\r\nabc',
        ),
    },
    async (worker) => {
      assert.equal((await ask(worker.port, handshake, 'GET /none HTTP/1.1')).status, 204);
      await assert.rejects(ask(worker.port, handshake, 'GET /short HTTP/1.1'), /the connection ended/);
    },
  );
});

for (const [name, answer, status] of [
  ['bytes that are not HTTP', 'SSH-2.0-OpenSSH\r\n\r\n', 502],
  ['101 without an upgrade', 'HTTP/1.1 101 Switching Protocols\r\n\r\n', 502],
  [
    'an accept key that is wrong',
    'HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n',
    502,
  ],
  ['nothing but the end', '', 502],
] as const) {
  test(`an application that answers with ${name} is answered with ${status}`, async () => {
    await withOrigin({ onUpgrade: (_request, connection) => void connection.end(answer) }, async (worker, origin) => {
      assert.equal((await ask(worker.port)).status, status);
      await waitFor(() => origin.open === 0, 'the end of the connection to the application');
    });
  });
}

test('a subprotocol that was not offered is not passed on', async () => {
  await withOrigin({ fields: ['Sec-WebSocket-Protocol: forced'] }, async (worker) => {
    assert.equal((await ask(worker.port)).status, 502);
  });
});

test('an application that does not answer in time is answered with 504', async () => {
  await withOrigin(
    { onUpgrade: () => undefined },
    async (worker, origin) => {
      assert.equal((await ask(worker.port)).status, 504);
      await waitFor(() => origin.open === 0, 'the end of the connection to the application');
    },
    '',
    'timeouts: { response: 200ms }',
  );
});

test('the next server is taken where one does not answer the telephone', async () => {
  const dead = `127.0.0.1:${await freePort()}`;
  const origin = await WebSocketOrigin.start();
  const worker = await startProxyWorker([dead, origin.url]);
  try {
    for (let index = 0; index < 4; index++) {
      const client = await WebSocketClient.open(worker.port);
      assert.equal(await client.ask('x'), 'x');
      client.terminate();
    }
  } finally {
    await worker.close();
    await origin.close();
  }
});

test('without any server the answer is an error of 502 or 503', async () => {
  const worker = await startProxyWorker([`127.0.0.1:${await freePort()}`], '', 'waitForUpstream: 0s');
  try {
    assert.match(String((await ask(worker.port)).status), /^50[23]$/);
  } finally {
    await worker.close();
  }
});

test('a client that leaves before the answer takes its connection with it', async () => {
  await withOrigin({ onUpgrade: () => undefined }, async (worker, origin) => {
    const client = await RawClient.connect(worker.port);
    client.send(['GET / HTTP/1.1', 'Host: example.com', ...handshake, '', ''].join('\r\n'));
    await waitFor(() => origin.requests.length > 0, 'the handshake at the application');
    client.reset();
    await waitFor(() => origin.open === 0, 'the end of the connection to the application');
  });
});

test('a handshake on a route that is for something else gets the ordinary answer', async () => {
  await withOrigin({}, async (worker) => {
    const response = await ask(worker.port, handshake, 'GET /fixed HTTP/1.1');
    assert.equal(response.status, 200);
    assert.equal(response.body.toString(), 'fixed');
  });
});

test('with `webSocket: false` the application sees an ordinary GET, and a reload turns it on', async () => {
  const origin = await ScriptedOrigin.answering('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain');
  const webSockets = await WebSocketOrigin.start();
  const worker = await startInProcessWorker(proxyYaml([origin.server().name], 'webSocket: false'));
  try {
    assert.equal((await ask(worker.port)).body.toString(), 'plain');
    assert.doesNotMatch(origin.requests[0]?.head ?? '', /upgrade/i);
    await worker.reload(proxyYaml([webSockets.url]));
    const client = await WebSocketClient.open(worker.port);
    assert.equal(await client.ask('x'), 'x');
    client.terminate();
  } finally {
    await worker.close();
    await origin.close();
    await webSockets.close();
  }
});

const without = (name: string): string[] => handshake.filter((line) => !line.startsWith(name));

for (const [name, lines, status] of [
  ['another version', [...without('Sec-WebSocket-Version'), 'Sec-WebSocket-Version: 8'], 426],
  ['no version', without('Sec-WebSocket-Version'), 426],
  ['two versions', [...handshake, 'Sec-WebSocket-Version: 13'], 426],
  ['no key', without('Sec-WebSocket-Key'), 400],
  ['a short key', [...without('Sec-WebSocket-Key'), 'Sec-WebSocket-Key: c2hvcnQ='], 400],
  ['a key that is no base64', [...without('Sec-WebSocket-Key'), 'Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!=='], 400],
  ['two keys', [...handshake, 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='], 400],
  ['a body', [...handshake, 'Content-Length: 3'], 400],
  ['an empty subprotocol', [...handshake, 'Sec-WebSocket-Protocol: a,,b'], 400],
  ['a subprotocol twice', [...handshake, 'Sec-WebSocket-Protocol: a, a'], 400],
] as const) {
  test(`a handshake with ${name} is refused with ${status}`, async () => {
    await withOrigin({}, async (worker, origin) => {
      const response = await ask(worker.port, lines);
      assert.equal(response.status, status);
      if (status === 426) assert.equal(response.field('sec-websocket-version'), '13');
      assert.equal(origin.requests.length, 0);
    });
  });
}

for (const [name, lines, requestLine] of [
  ['without Connection: Upgrade', without('Connection'), 'GET / HTTP/1.1'],
  ['without Upgrade', without('Upgrade'), 'GET / HTTP/1.1'],
  ['for another protocol', [...without('Upgrade'), 'Upgrade: h2c'], 'GET / HTTP/1.1'],
  ['that also wants the connection closed', [...handshake, 'Connection: close'], 'GET / HTTP/1.1'],
  ['by another method', handshake, 'OPTIONS / HTTP/1.1'],
] as const) {
  test(`a request ${name} is an ordinary one`, async () => {
    await withOrigin({}, async (worker, origin) => {
      const response = await ask(worker.port, lines, requestLine);
      assert.equal(response.status, 200);
      assert.equal(response.body.toString(), 'an ordinary page');
      assert.equal(origin.requests.length, 0);
    });
  });
}
