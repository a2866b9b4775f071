import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { after, describe, type TestContext, test } from 'node:test';
import type { Exchange } from '../../../src/listener/exchange.ts';
import { responseHead } from '../../../src/response/response-head.ts';
import { type ContractServer, plain, readBody } from '../../support/contract-server.ts';
import { http2Server } from '../../support/http2-server.ts';
import { standstill } from '../../support/loop-rounds.ts';
import { TestCertificates } from '../../support/test-certificates.ts';
import { waitFor } from '../../support/wait-for.ts';

const certificates = new TestCertificates();
after(() => certificates.remove());
const ok = (exchange: Exchange): void => exchange.respond(plain, Buffer.from('ok'));

interface Started {
  readonly server: ContractServer;
  readonly client: ClientHttp2Session;
}

async function start(
  t: TestContext,
  handle: (exchange: Exchange) => void,
  options: Parameters<typeof http2Server>[2] = {},
): Promise<Started> {
  const server = await http2Server(certificates, handle, options);
  const client = connect(`https://localhost:${server.port}`, {
    rejectUnauthorized: false,
    lookup: (_host, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
  } as Parameters<typeof connect>[1]);
  client.on('error', () => undefined);
  t.after(() => {
    client.destroy();
    server.close();
  });
  await once(client, 'connect');
  return { server, client };
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

async function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  const pieces: Buffer[] = [];
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
  if (!stream.readableEnded) await once(stream, 'end');
  return { status: Number(headers[':status']), headers, body: Buffer.concat(pieces) };
}

describe('an exchange over HTTP/2', () => {
  test('has the head that the client sent, cookies in one field', async (t) => {
    const { server, client } = await start(t, ok);
    const stream = client.request({
      ':path': '/a/../b?q=%20',
      'x-one': '1',
      cookie: ['a=1', 'b=2'] as unknown as string,
      [constants.HTTP2_HEADER_ACCEPT]: 'text/html',
    });
    assert.equal((await answerOf(stream)).body.toString(), 'ok');
    const { head, connection } = server.exchanges[0] as Exchange;
    assert.deepEqual(
      [head.method, head.target, head.query, head.protocol],
      ['GET', '/a/../b?q=%20', 'q=%20', 'HTTP/2.0'],
    );
    assert.equal(head.host, `localhost:${server.port}`);
    assert.equal(head.fields.get('cookie'), 'a=1; b=2');
    assert.equal(head.fields.get('x-one'), '1');
    assert.deepEqual([connection.scheme, connection.remoteAddress], ['https', '127.0.0.1']);
  });

  test('answers with lower-case fields, repeated ones apart, and one Date', async (t) => {
    const head = responseHead(200, [
      ['Set-Cookie', 'a=1'],
      ['X-Between', '-'],
      ['Set-Cookie', 'b=2'],
    ]);
    const { client } = await start(t, (exchange) => exchange.respond(head, Buffer.from('x')));
    const { headers } = await answerOf(client.request({ ':path': '/' }));
    assert.deepEqual(headers['set-cookie'], ['a=1', 'b=2']);
    assert.equal(headers['content-length'], '1');
    assert.ok(!Number.isNaN(Date.parse(String(headers['date']))));
  });

  test('leaves the body out for HEAD, 204 and 304', async (t) => {
    const { client } = await start(t, (exchange) => {
      const status = Number(exchange.head.target.slice(1)) || 200;
      exchange.respond(responseHead(status, []), Buffer.from('hello'));
    });
    const head = await answerOf(client.request({ ':path': '/', ':method': 'HEAD' }));
    assert.deepEqual([head.headers['content-length'], head.body.length], ['5', 0]);
    for (const status of [204, 304]) {
      const answer = await answerOf(client.request({ ':path': `/${status}` }));
      assert.deepEqual([answer.status, answer.headers['content-length'], answer.body.length], [status, undefined, 0]);
    }
  });

  test('takes a body of 20 MB and gives one back, byte for byte', async (t) => {
    const { client } = await start(t, (exchange) => {
      exchange.body.limit = 1e9;
      readBody(exchange, (body) => {
        exchange.onDrain = () => exchange.end();
        if (exchange.stream(plain, body.length, body)) exchange.end();
      });
    });
    const body = randomBytes(20_000_000);
    const stream = client.request({ ':path': '/', ':method': 'POST' });
    stream.end(body);
    const answer = await answerOf(stream);
    assert.equal(answer.body.length, body.length);
    assert.equal(
      createHash('sha256').update(answer.body).digest('hex'),
      createHash('sha256').update(body).digest('hex'),
    );
  });

  test('streams of unknown length end without a length', async (t) => {
    const { client } = await start(t, (exchange) => {
      exchange.stream(plain, undefined, Buffer.from('one '));
      setImmediate(() => {
        exchange.write(Buffer.from('two'));
        exchange.end();
      });
    });
    const answer = await answerOf(client.request({ ':path': '/' }));
    assert.equal(answer.headers['content-length'], undefined);
    assert.equal(answer.body.toString(), 'one two');
  });

  test('a hundred at once on one connection are all answered, none with what is another one’s', async (t) => {
    const { client } = await start(t, (exchange) => {
      const body = Buffer.from(exchange.head.target.repeat(10_000));
      setTimeout(() => {
        exchange.onDrain = () => exchange.end();
        if (exchange.stream(plain, body.length, body)) exchange.end();
      }, Math.random() * 20);
    });
    const paths = Array.from({ length: 100 }, (_, index) => `/${index}`);
    const answers = await Promise.all(paths.map((path) => answerOf(client.request({ ':path': path }))));
    for (const [index, { body }] of answers.entries()) assert.equal(body.toString(), `/${index}`.repeat(10_000));
  });

  test('a slow one does not hold up the others', async (t) => {
    const large = Buffer.alloc(5_000_000);
    const { client } = await start(t, (exchange) => {
      if (exchange.head.target !== '/large') return ok(exchange);
      exchange.onDrain = () => exchange.end();
      exchange.stream(plain, large.length, large);
    });
    const slow = client.request({ ':path': '/large' });
    slow.pause();
    await once(slow, 'response');
    assert.equal((await answerOf(client.request({ ':path': '/small' }))).body.toString(), 'ok');
    slow.close();
  });

  test('that the client resets is aborted', async (t) => {
    const { server, client } = await start(t, () => undefined);
    const stream = client.request({ ':path': '/' });
    stream.on('error', () => undefined);
    await waitFor(() => server.exchanges.length === 1, 'the request');
    stream.close(constants.NGHTTP2_CANCEL);
    await waitFor(() => server.finished.length === 1, 'the end');
    assert.equal(server.finished[0]?.aborted, true);
    assert.equal(server.engine.inFlight, 0);
  });

  test('that is aborted resets its stream and nothing else', async (t) => {
    const { client } = await start(t, (exchange) => {
      if (exchange.head.target === '/abort') {
        exchange.stream(plain, 10, Buffer.from('half'));
        setImmediate(() => exchange.abort());
      } else ok(exchange);
    });
    const stream = client.request({ ':path': '/abort' });
    const [error] = (await once(stream, 'error')) as [Error];
    assert.match(error.message, /INTERNAL_ERROR/);
    assert.equal((await answerOf(client.request({ ':path': '/' }))).body.toString(), 'ok');
  });

  test('whose body nobody reads is answered all the same', async (t) => {
    const { server, client } = await start(t, ok);
    const stream = client.request({ ':path': '/', ':method': 'POST' });
    stream.on('error', () => undefined);
    stream.write(Buffer.alloc(100_000));
    assert.equal((await answerOf(stream)).body.toString(), 'ok');
    await waitFor(() => server.engine.inFlight === 0, 'the end');
    assert.equal((await answerOf(client.request({ ':path': '/next' }))).body.toString(), 'ok');
  });

  test('is not read on while its reader pauses', async (t) => {
    let received = 0;
    const { client, server } = await start(t, (exchange) => {
      exchange.body.limit = 1e9;
      exchange.body.read({
        data(chunk) {
          received += chunk.length;
          exchange.body.pause();
        },
        end: () => ok(exchange),
        failed: () => ok(exchange),
      });
    });
    const stream = client.request({ ':path': '/', ':method': 'POST' });
    stream.on('error', () => undefined);
    stream.write(Buffer.alloc(30_000_000));
    await waitFor(() => received > 0, 'the first piece');
    await standstill(() => server.exchanges[0]?.body.received ?? 0, 'the client to be held up');
    assert.ok(
      (server.exchanges[0]?.body.received ?? 0) <= 1_100_000,
      `${server.exchanges[0]?.body.received} bytes came`,
    );
  });

  test('ends when a client takes nothing for too long', async (t) => {
    const large = Buffer.alloc(5_000_000);
    const { server, client } = await start(
      t,
      (exchange) => {
        exchange.onDrain = () => exchange.end();
        exchange.stream(plain, large.length, large);
      },
      { sendMs: 300 },
    );
    const stream = client.request({ ':path': '/' });
    stream.on('error', () => undefined);
    stream.pause();
    await waitFor(() => server.finished.length === 1, 'the cut');
    assert.equal(server.finished[0]?.aborted, true);
  });

  test('waits for leave to send its body where it asks for it', async (t) => {
    const { client } = await start(t, (exchange) => readBody(exchange, (body) => exchange.respond(plain, body)));
    const stream = client.request({ ':path': '/', ':method': 'POST', expect: '100-continue' });
    await once(stream, 'continue');
    stream.end('hello');
    assert.equal((await answerOf(stream)).body.toString(), 'hello');
  });
});

describe('an HTTP/2 connection', () => {
  test('that drains finishes what it has and says that it takes no more', async (t) => {
    const { server, client } = await start(t, () => undefined);
    const stream = client.request({ ':path': '/' });
    await waitFor(() => server.exchanges.length === 1, 'the request');
    const goaway = once(client, 'goaway');
    const drained = server.engine.drain();
    await goaway;
    const [exchange] = server.exchanges;
    if (exchange !== undefined) ok(exchange);
    assert.equal((await answerOf(stream)).body.toString(), 'ok');
    await drained;
    await waitFor(() => client.destroyed || client.closed, 'the end of the connection');
  });

  test('that is idle is closed in order after its time', async (t) => {
    const { client } = await start(t, ok, { keepAliveMs: 300, sendMs: 400 });
    assert.equal((await answerOf(client.request({ ':path': '/' }))).body.toString(), 'ok');
    await waitFor(() => client.closed || client.destroyed, 'the end');
  });
});
