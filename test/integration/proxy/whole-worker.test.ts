import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { afterEach, describe, test } from 'node:test';
import { startInProcessWorker } from '../../support/in-process-worker.ts';
import { loopRounds } from '../../support/loop-rounds.ts';
import { RawClient } from '../../support/raw-client.ts';
import { type OriginOptions, type OriginScript, ScriptedOrigin } from '../../support/scripted-origin.ts';
import { waitFor } from '../../support/wait-for.ts';

const megabyte = 1024 * 1024;
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A worker in front of one origin, and a client connected to it. */
async function connected(script: OriginScript, options: OriginOptions & { readonly buffering?: boolean } = {}) {
  const origin = await ScriptedOrigin.start(script, options);
  closers.unshift(() => origin.close());
  const buffering = options.buffering === false ? ', buffering: false' : '';
  const worker = await startInProcessWorker(
    `upstreams: { app: { servers: ["http://127.0.0.1:${origin.port}"] } }\nsites: [{ routes: [{ path: /, proxy: { upstream: app${buffering} } }] }]\n`,
  );
  closers.unshift(() => worker.close());
  const client = await RawClient.connect(worker.port);
  closers.unshift(() => client.destroy());
  return { origin, worker, client };
}

function sendWhole(socket: Socket, framing: 'length' | 'chunks', body: Buffer): void {
  const head = framing === 'length' ? `Content-Length: ${body.length}` : 'Transfer-Encoding: chunked';
  socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n`);
  if (framing === 'chunks') socket.write(`${body.length.toString(16)}\r\n`);
  socket.write(body);
  if (framing === 'chunks') socket.write('\r\n0\r\n\r\n');
}

const get = 'GET / HTTP/1.1\r\nHost: example.com\r\n\r\n';

function hash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let index = 0; index + 4 <= length; index += 4) bytes.writeUInt32LE((index * 2_654_435_761) >>> 0, index);
  return bytes;
}

describe('a worker in front of an application', () => {
  test('passes small responses on, one after the other over the same connections', async () => {
    const { origin, client } = await connected((socket, { index }) => {
      const body = `turn ${index}`;
      socket.write(
        `HTTP/1.1 200 OK\r\nServer: gunicorn\r\nDate: then\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    });
    for (let turn = 0; turn < 5; turn++) {
      client.send(get);
      const response = await client.response();
      assert.equal(response.status, 200);
      assert.equal(response.field('server'), 'gunicorn');
      assert.notEqual(response.field('date'), 'then');
      assert.equal(response.body.toString(), `turn ${turn}`);
    }
    assert.equal(origin.connections, 1);
  });

  test('passes chunked, bodiless and empty responses on', async () => {
    const responses = [
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
      'HTTP/1.1 204 No Content\r\n\r\n',
      'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    ];
    const { client } = await connected((socket, { index }) => socket.write(responses[index] ?? ''));
    for (const [status, body] of [
      [200, 'hello'],
      [204, ''],
      [304, ''],
      [200, ''],
    ] as const) {
      client.send(get);
      const response = await client.response();
      assert.equal(response.status, status);
      assert.equal(response.body.toString(), body);
    }
  });

  test('passes a head on whose body comes much later', async () => {
    let sendNext = (): void => {};
    const { origin, client } = await connected((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nX-A: b\r\nTransfer-Encoding: chunked\r\n\r\n');
      const rest = ['5\r\nhello\r\n', '0\r\n\r\n'];
      sendNext = () => void socket.write(rest.shift() ?? '');
    });
    client.send(get);
    await waitFor(() => origin.requests.length > 0, 'the request');
    await loopRounds();
    sendNext();
    await waitFor(() => client.pending.includes('hello'), 'the body');
    sendNext();
    const response = await client.response();
    assert.equal(response.field('x-a'), 'b');
    assert.equal(response.body.toString(), 'hello');
  });

  for (const framing of ['length', 'chunks'] as const) {
    test(`passes a large response with ${framing} on to a slow client, holding the application up`, async () => {
      const body = pattern(32 * megabyte);
      let left = 0;
      const { client } = await connected(
        (socket) => {
          sendWhole(socket, framing, body);
          left = socket.writableLength;
          socket.on('drain', () => (left = 0));
        },
        { buffering: false },
      );
      client.pause();
      client.send(get);
      await waitFor(() => left > 0, 'the response');
      await loopRounds();
      assert.ok(left > 0, 'the application cannot send everything while the client takes nothing');
      client.resume();
      const response = await client.response();
      assert.equal(hash(response.body), hash(body));
    });

    test(`keeps a large response with ${framing} for a slow client, and lets the application go`, async () => {
      const body = pattern(32 * megabyte);
      let sent = false;
      const { client } = await connected((socket) => {
        sendWhole(socket, framing, body);
        socket.once('drain', () => (sent = true));
      });
      client.pause();
      client.send(get);
      await waitFor(() => sent, 'the application to have sent everything while the client takes nothing');
      client.resume();
      const response = await client.response();
      assert.equal(hash(response.body), hash(body));
    });
  }

  for (const framing of ['length', 'chunks'] as const) {
    test(`passes a large request with ${framing} on to a slow application`, async () => {
      const body = pattern(32 * megabyte);
      const { origin, client } = await connected(
        (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
        {
          onConnection: (socket) => {
            socket.pause();
            void loopRounds().then(() => socket.resume());
            return undefined;
          },
        },
      );
      if (framing === 'length') {
        client.send(`POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: ${body.length}\r\n\r\n`);
        await client.sendAll(body);
      } else {
        client.send('POST / HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\n\r\n');
        for (let start = 0; start < body.length; start += megabyte) {
          client.send(`${megabyte.toString(16)}\r\n`);
          client.send(body.subarray(start, start + megabyte));
          await client.sendAll(Buffer.from('\r\n'));
        }
        client.send('0\r\n\r\n');
      }
      assert.equal((await client.response()).status, 200);
      assert.equal(hash(origin.requests[0]?.body ?? Buffer.alloc(0)), hash(body));
    });
  }

  for (const [framing, bytes] of [
    ['a length', 'Content-Length: 1000\r\n\r\nhalf'],
    ['chunks', 'Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'],
  ] as const) {
    test(`cuts the client off when the application dies within a response with ${framing}`, async () => {
      let die = (): void => {};
      const { client } = await connected((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\n${bytes}`);
        die = () => void socket.resetAndDestroy();
      });
      client.send(get);
      await waitFor(() => client.pending.includes('half'), 'the first half');
      die();
      await client.closed();
      const received = client.pending.toString('latin1');
      assert.match(received, /half/);
      assert.doesNotMatch(received, /\r\n0\r\n/);
    });
  }

  test('answers 502 with the request id when the application is no HTTP server', async () => {
    const { client } = await connected((socket) => socket.write('SSH-2.0-OpenSSH\r\n'));
    client.send(get);
    const response = await client.response();
    assert.equal(response.status, 502);
    assert.match(response.field('x-request-id') ?? '', /^[0-9a-f]{32}$/);
  });

  test('passes an early refusal of an upload on', async () => {
    const { client } = await connected(
      (socket) => socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno'),
      { ignoreBody: true, buffering: false },
    );
    client.send('POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 1000000\r\n\r\nbeginning');
    const response = await client.response();
    assert.equal(response.status, 403);
    assert.equal(response.body.toString(), 'no');
  });

  test('ends the request to the application when the client goes away', async () => {
    const { origin, client } = await connected(() => {});
    client.send(get);
    await waitFor(() => origin.requests.length === 1, 'the request');
    client.reset();
    await waitFor(() => origin.open === 0, 'the end of the connection');
  });

  test('keeps no more than a buffer of a download whose client has gone', async () => {
    const { origin, client } = await connected((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${32 * megabyte}\r\n\r\n`);
      socket.write(Buffer.alloc(32 * megabyte));
    });
    client.pause();
    client.send(get);
    await waitFor(() => origin.requests.length === 1, 'the request');
    client.reset();
    await waitFor(() => origin.open === 0, 'the end of the connection');
  });
});
