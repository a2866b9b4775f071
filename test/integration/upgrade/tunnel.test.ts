/** What passes through a tunnel, and how it ends. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { RawClient } from '../../support/raw-client.ts';
import { echo, switching, TunnelOrigin } from '../../support/tunnel-origin.ts';
import { asksForTcp, requestText, tunnelListener, upgraded, withTunnels } from '../../support/upgrading-worker.ts';
import { waitFor } from '../../support/wait-for.ts';

async function received(client: RawClient, text: string): Promise<void> {
  await client.receivedAtLeast(text.length);
  assert.equal(client.pending.toString('latin1'), text);
}

test('bytes pass both ways once the application agrees, and its fields with them', async () => {
  const origin = await TunnelOrigin.start();
  await withTunnels(origin, async (worker) => {
    const { client, response } = await upgraded(worker.port);
    assert.equal(response.status, 101);
    assert.equal(response.field('connection'), 'Upgrade');
    assert.equal(response.field('upgrade'), 'tcp');
    client.send('ping\0\xff');
    await received(client, 'ping\0\xff');
    const { head } = origin.requests[0] ?? { head: '' };
    assert.match(head, /^POST \/attach HTTP\/1\.1\r\n/);
    assert.match(head, /\r\nConnection: Upgrade\r\nUpgrade: tcp(\r\n|$)/);
    assert.match(head, /\r\nX-Forwarded-For: 127\.0\.0\.1/i);
    client.destroy();
  });
});

test('what the application sends in one piece with its answer is not lost', async () => {
  const origin = await TunnelOrigin.start((socket) => socket.write(`${switching('tcp', 'X-Kept: yes')}at once`));
  await withTunnels(origin, async (worker) => {
    const { client, response } = await upgraded(worker.port);
    assert.equal(response.field('x-kept'), 'yes');
    await received(client, 'at once');
    client.destroy();
  });
});

test('of much that the client sends ahead of the answer nothing is lost', async () => {
  let agree: (() => void) | undefined;
  const origin = await TunnelOrigin.start((socket, request, rest) => {
    agree = () => echo(socket, request, rest);
  });
  await withTunnels(origin, async (worker) => {
    const client = await RawClient.connect(worker.port);
    const ahead = randomBytes(1024 ** 2);
    client.send(requestText(asksForTcp));
    client.send(ahead);
    await waitFor(() => agree !== undefined, 'the request at the application');
    agree?.();
    assert.equal((await client.response()).status, 101);
    await client.receivedAtLeast(ahead.length);
    assert.ok(client.pending.equals(ahead));
    client.destroy();
  });
});

test('what the client sends ahead of the answer goes through the tunnel', async () => {
  let agree: (() => void) | undefined;
  const origin = await TunnelOrigin.start((socket, request, rest) => {
    agree = () => echo(socket, request, rest);
  });
  await withTunnels(origin, async (worker) => {
    const client = await RawClient.connect(worker.port);
    client.send(`${requestText(asksForTcp)}early`);
    await waitFor(() => agree !== undefined, 'the request at the application');
    client.send(' bird');
    agree?.();
    assert.equal((await client.response()).status, 101);
    await received(client, 'early bird');
    client.destroy();
  });
});

// Over TLS nobody ends one side alone before it has an answer.
const endsEarly = { skip: tunnelListener.isSecure };

test('a client that has ended its side before the answer is told everything', endsEarly, async () => {
  let agree: (() => void) | undefined;
  const origin = await TunnelOrigin.start((socket, request, rest) => {
    agree = () => echo(socket, request, rest);
  });
  await withTunnels(origin, async (worker) => {
    const client = await RawClient.connect(worker.port);
    client.send(`${requestText(asksForTcp)}all of it`);
    client.halfClose();
    await waitFor(() => agree !== undefined, 'the request at the application');
    agree?.();
    assert.equal((await client.response()).status, 101);
    await client.closed();
    assert.equal(client.pending.toString(), 'all of it');
    await waitFor(() => origin.open === 0, 'the end at the application');
    assert.deepEqual(origin.errors, []);
  });
});

test('the end of one side is passed on, and the other side goes on', async () => {
  let socketOfOrigin: Socket | undefined;
  let heard = '';
  let ended = false;
  const origin = await TunnelOrigin.start((socket) => {
    socketOfOrigin = socket;
    socket.write(switching('tcp'));
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')));
    socket.on('end', () => (ended = true));
  });
  await withTunnels(origin, async (worker) => {
    const first = await upgraded(worker.port);
    first.client.send('last words');
    first.client.halfClose();
    await waitFor(() => ended, "the end of the client's side");
    assert.equal(heard, 'last words');
    socketOfOrigin?.write('an answer all the same');
    await received(first.client, 'an answer all the same');
    assert.equal(first.client.ended, false);
    socketOfOrigin?.end();
    await first.client.closed();
    await waitFor(() => origin.open === 0 && worker.inFlight() === 0, 'the end of the tunnel');

    heard = '';
    ended = false;
    const second = await upgraded(worker.port);
    socketOfOrigin?.end('no more of me');
    await second.client.closed();
    assert.equal(second.client.pending.toString(), 'no more of me');
    second.client.send('but of me');
    await waitFor(() => heard === 'but of me', 'what the client still says');
    second.client.halfClose();
    await waitFor(() => origin.open === 0 && worker.inFlight() === 0, 'the end of the tunnel');
    assert.deepEqual(origin.errors, []);
    assert.equal(second.client.errorCode, undefined);
  });
});

test('megabytes come through unchanged, both ways at once', async () => {
  const origin = await TunnelOrigin.start();
  await withTunnels(origin, async (worker) => {
    const { client } = await upgraded(worker.port);
    const sent = createHash('sha256');
    const total = 48;
    const got = createHash('sha256');
    let bytes = 0;
    client.socket.removeAllListeners('data');
    client.socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      got.update(chunk);
    });
    for (let index = 0; index < total; index++) {
      const piece = randomBytes(1024 ** 2);
      sent.update(piece);
      await client.sendAll(piece);
    }
    client.halfClose();
    await client.closed();
    assert.equal(bytes, total * 1024 ** 2);
    assert.equal(got.digest('hex'), sent.digest('hex'));
    await waitFor(() => worker.inFlight() === 0, 'the end of the tunnel');
  });
});

test('a client that is gone takes the connection to the application with it', async () => {
  const origin = await TunnelOrigin.start();
  await withTunnels(origin, async (worker) => {
    const { client } = await upgraded(worker.port);
    client.reset();
    await waitFor(() => origin.open === 0 && worker.inFlight() === 0, 'the end of the tunnel');
  });
});

test('an application that dies cuts the client off, so that it takes nothing for complete', async () => {
  const origin = await TunnelOrigin.start();
  await withTunnels(origin, async (worker) => {
    const { client } = await upgraded(worker.port);
    client.send('x');
    await received(client, 'x');
    origin.reset();
    await client.closed();
    await waitFor(() => worker.inFlight() === 0, 'the end of the tunnel');
    if (!tunnelListener.isSecure) assert.equal(client.errorCode, 'ECONNRESET');
  });
});

test('a tunnel through which nothing goes is cut on both sides after a while', async () => {
  const origin = await TunnelOrigin.start();
  await withTunnels(
    origin,
    async (worker) => {
      const { client } = await upgraded(worker.port);
      await client.closed();
      await waitFor(() => origin.open === 0 && worker.inFlight() === 0, 'the end of the tunnel');
    },
    '{ protocols: [tcp], idleTimeout: 1s }',
  );
});

test('further protocols are asked for as the client spells them, and no others', async () => {
  const origin = await TunnelOrigin.start();
  await withTunnels(origin, async (worker) => {
    const { client, response } = await upgraded(
      worker.port,
      ['Connection: keep-alive, upgrade', 'Upgrade: h2c, spdy/3.1', 'Upgrade: TCP, foo/2, tcp, tcp/2'],
      'GET / HTTP/1.1',
    );
    assert.equal(response.field('upgrade'), 'spdy/3.1');
    assert.match(origin.requests[0]?.head ?? '', /\r\nUpgrade: spdy\/3\.1, TCP(\r\n|$)/);
    assert.doesNotMatch(origin.requests[0]?.head ?? '', /h2c|foo|keep-alive/i);
    client.destroy();
  });
});
