/** What does not become a tunnel, and what the client gets in its place. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freePort } from '../../support/free-port.ts';
import { startProxyWorker } from '../../support/proxied-websockets.ts';
import { RawClient } from '../../support/raw-client.ts';
import { ScriptedOrigin } from '../../support/scripted-origin.ts';
import { echo, saying, switching, TunnelOrigin } from '../../support/tunnel-origin.ts';
import { asksForTcp, requestText, tunnelListener, upgraded, withTunnels } from '../../support/upgrading-worker.ts';
import { waitFor } from '../../support/wait-for.ts';

const plain = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain';

for (const [name, lines, requestLine] of [
  ['that nobody has listed', ['Connection: Upgrade', 'Upgrade: foo/1'], 'POST / HTTP/1.1'],
  ['of another version', ['Connection: Upgrade', 'Upgrade: spdy/3'], 'POST / HTTP/1.1'],
  [
    'h2c, with its settings',
    ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'],
    'GET / HTTP/1.1',
  ],
  ['without Connection', ['Upgrade: tcp'], 'POST / HTTP/1.1'],
  ['with a Connection that names something else', ['Connection: keep-alive', 'Upgrade: tcp'], 'POST / HTTP/1.1'],
  ['that is not named, although Connection says so', ['Connection: Upgrade'], 'POST / HTTP/1.1'],
  ['and the end of the connection at once', ['Connection: Upgrade, close', 'Upgrade: tcp'], 'POST / HTTP/1.1'],
  ['in HTTP/1.0', asksForTcp, 'POST / HTTP/1.0'],
] as const) {
  test(`a request for a protocol ${name} is an ordinary one`, async () => {
    const origin = await TunnelOrigin.start(saying(plain));
    await withTunnels(origin, async (worker) => {
      const { client, response } = await upgraded(worker.port, lines, requestLine);
      assert.equal(response.status, 200);
      assert.equal(response.body.toString(), 'plain');
      assert.doesNotMatch(origin.requests[0]?.head ?? '', /upgrade|http2-settings/i);
      client.destroy();
    });
  });
}

for (const [name, value] of [
  ['nothing', 'Upgrade: '],
  ['something that is no protocol', 'Upgrade: t c p'],
  ['an empty element', 'Upgrade: tcp,,foo'],
] as const) {
  test(`an Upgrade field with ${name} is refused`, async () => {
    await withTunnels(await TunnelOrigin.start(), async (worker, origin) => {
      const { client, response } = await upgraded(worker.port, ['Connection: Upgrade', value]);
      assert.equal(response.status, 400);
      assert.equal(origin.requests.length, 0);
      client.destroy();
    });
  });
}

test('without `upgrade` a route lets nothing through', async () => {
  const origin = await TunnelOrigin.start((socket, request, rest) => {
    if (/upgrade/i.test(request.head)) echo(socket, request, rest);
    else socket.write(plain);
  });
  await withTunnels(
    origin,
    async (worker) => {
      const before = await upgraded(worker.port);
      assert.equal(before.response.status, 200);
      before.client.destroy();
    },
    'false',
  );
});

test('an ordinary response to the request is passed on, and the connections go on', async () => {
  const origin = await TunnelOrigin.start(
    saying('HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nX-Why: gone\r\nUpgrade: tcp\r\n\r\nno'),
  );
  await withTunnels(origin, async (worker) => {
    const { client, response } = await upgraded(worker.port);
    assert.equal(response.status, 404);
    assert.equal(response.body.toString(), 'no');
    assert.equal(response.field('x-why'), 'gone');
    assert.equal(response.field('upgrade'), undefined);
    client.send(requestText([], 'GET /fixed HTTP/1.1'));
    assert.equal((await client.response()).body.toString(), 'fixed');
    client.destroy();
  });
});

test('requests sent ahead are requests where the application does not agree, and go where the routes say', async () => {
  const origin = await TunnelOrigin.start(saying(plain));
  await withTunnels(origin, async (worker) => {
    const client = await RawClient.connect(worker.port);
    client.send(requestText(asksForTcp) + requestText([], 'GET /fixed HTTP/1.1'));
    assert.equal((await client.response()).body.toString(), 'plain');
    assert.equal((await client.response()).body.toString(), 'fixed');
    assert.equal(origin.requests.length, 1);
    client.destroy();
  });
});

for (const [name, answer] of [
  ['another protocol', switching('foo')],
  ['h2c', switching('h2c')],
  ['one of those asked for, and another', switching('tcp, foo')],
  ['no protocol', 'HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\n\r\n'],
  ['a protocol, and a length', switching('tcp', 'Content-Length: 5')],
] as const) {
  test(`a 101 with ${name} is answered with 502, and nothing behind it reaches the client`, async () => {
    const origin = await TunnelOrigin.start(saying(`${answer}secret`));
    await withTunnels(origin, async (worker) => {
      const { client, response } = await upgraded(worker.port);
      assert.equal(response.status, 502);
      assert.doesNotMatch(response.body.toString(), /secret/);
      await waitFor(() => origin.open === 0, 'the end of the connection to the application');
      client.destroy();
    });
  });
}

test('a 101 to a request that asks for nothing is answered with 502', async () => {
  const origin = await TunnelOrigin.start(saying(`${switching('tcp')}secret`));
  await withTunnels(origin, async (worker) => {
    const { client, response } = await upgraded(worker.port, []);
    assert.equal(response.status, 502);
    client.destroy();
  });
});

test('the body of the request comes first, whole and with its length, however it was sent', async () => {
  const origin = await TunnelOrigin.start();
  await withTunnels(
    origin,
    async (worker) => {
      const client = await RawClient.connect(worker.port);
      client.send(requestText([...asksForTcp, 'Transfer-Encoding: chunked'], undefined, '3\r\n{"a\r\n'));
      await waitFor(() => worker.inFlight() === 1, 'the request');
      assert.equal(origin.requests.length, 0);
      client.send('4\r\n":1}\r\n0\r\n\r\nraw');
      assert.equal((await client.response()).status, 101);
      assert.equal(origin.requests[0]?.body, '{"a":1}');
      assert.match(origin.requests[0]?.head ?? '', /\r\nContent-Length: 7(\r\n|$)/);
      await client.receivedAtLeast(3);
      assert.equal(client.pending.toString(), 'raw');
      client.destroy();
    },
    undefined,
    'buffering: false',
  );
});

test('a client that waits for leave to send the body gets it before the answer', async () => {
  await withTunnels(await TunnelOrigin.start(), async (worker, origin) => {
    const client = await RawClient.connect(worker.port);
    client.send(requestText([...asksForTcp, 'Expect: 100-continue', 'Content-Length: 2']));
    assert.match(await client.leave(), /^HTTP\/1\.1 100 /);
    client.send('hi');
    assert.equal((await client.response()).status, 101);
    assert.equal(origin.requests[0]?.body, 'hi');
    client.destroy();
  });
});

test('an application that switches before it has taken the request is answered with 502', async () => {
  const answered: string[] = [];
  const origin = await ScriptedOrigin.start(
    (socket, { head }) => {
      answered.push(head);
      socket.pause();
      socket.write(switching('tcp'));
    },
    { ignoreBody: true },
  );
  const worker = await startProxyWorker(
    [origin.server().name],
    'upgrade: { protocols: [tcp] }',
    '',
    tunnelListener.engine,
  );
  try {
    const client = await RawClient.connect(worker.port);
    const bytes = 64 * 1024 ** 2;
    client.send(requestText([...asksForTcp, `Content-Length: ${bytes}`]));
    for (let left = bytes; left > 0; left -= 1024 ** 2) await client.sendAll(Buffer.alloc(1024 ** 2));
    assert.equal((await client.response()).status, 502);
    assert.equal(answered.length, 1);
    client.destroy();
  } finally {
    await worker.close();
    await origin.close();
  }
});

test('the next server is taken while nothing was sent', async () => {
  const dead = `127.0.0.1:${await freePort()}`;
  const origin = await TunnelOrigin.start();
  const worker = await startProxyWorker([dead, origin.url], 'upgrade: { protocols: [tcp] }', '', tunnelListener.engine);
  try {
    for (let index = 0; index < 4; index++) {
      const { client, response } = await upgraded(worker.port);
      assert.equal(response.status, 101);
      client.destroy();
    }
  } finally {
    await worker.close();
    await origin.close();
  }
});

test('once something was sent there is no other try, whatever the method', async () => {
  let asked = 0;
  const dying = (): Promise<TunnelOrigin> =>
    TunnelOrigin.start((socket) => {
      asked++;
      socket.destroy();
    });
  const [first, second] = [await dying(), await dying()];
  const worker = await startProxyWorker(
    [first.url, second.url],
    'upgrade: { protocols: [tcp] }',
    '',
    tunnelListener.engine,
  );
  try {
    const { client, response } = await upgraded(worker.port, asksForTcp, 'GET / HTTP/1.1');
    assert.equal(response.status, 502);
    assert.equal(asked, 1);
    client.destroy();
  } finally {
    await worker.close();
    await first.close();
    await second.close();
  }
});

test('an application that does not answer in time is answered with 504', async () => {
  const origin = await TunnelOrigin.start(saying(''));
  await withTunnels(
    origin,
    async (worker) => {
      const { client, response } = await upgraded(worker.port);
      assert.equal(response.status, 504);
      await waitFor(() => origin.open === 0, 'the end of the connection to the application');
      client.destroy();
    },
    undefined,
    '',
    'timeouts: { response: 200ms }',
  );
});

for (const abort of ['cancel', 'finish'] as const) {
  test(`a client that leaves before the answer takes its connection with it, with onClientAbort: ${abort}`, async () => {
    let agree: (() => void) | undefined;
    const origin = await TunnelOrigin.start((socket, request, rest) => {
      socket.on('end', () => socket.end());
      socket.resume();
      agree = () => echo(socket, request, rest);
    });
    await withTunnels(
      origin,
      async (worker) => {
        const client = await RawClient.connect(worker.port);
        client.send(requestText(asksForTcp));
        await waitFor(() => agree !== undefined, 'the request at the application');
        client.reset();
        await waitFor(() => worker.inFlight() === 0, 'the end of the request');
        if (abort === 'finish') agree?.();
        await waitFor(() => origin.open === 0, 'the end of the connection to the application');
      },
      undefined,
      `onClientAbort: ${abort}`,
    );
  });
}

test('no more than `maxOpen` are open at a time, and an end makes room', async () => {
  await withTunnels(
    await TunnelOrigin.start(),
    async (worker) => {
      const first = await upgraded(worker.port);
      const second = await upgraded(worker.port);
      const third = await upgraded(worker.port);
      assert.deepEqual(
        [first, second, third].map(({ response }) => response.status),
        [101, 101, 503],
      );
      assert.equal(third.response.field('retry-after'), '1');
      third.client.send(requestText([], 'GET /fixed HTTP/1.1'));
      assert.equal((await third.client.response()).status, 200);
      first.client.reset();
      await waitFor(() => worker.inFlight() === 1, 'the end of the first');
      const fourth = await upgraded(worker.port);
      assert.equal(fourth.response.status, 101);
      for (const { client } of [second, third, fourth]) client.destroy();
    },
    '{ protocols: [tcp], maxOpen: 2 }',
  );
});
