import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, type TestContext, test } from 'node:test';
import type { EngineTimeouts } from '../../../src/listener/engine.ts';
import type { BodySink, Exchange } from '../../../src/listener/exchange.ts';
import {
  type ContractServer,
  contractServer,
  get,
  plain,
  readBody,
  refuseWith,
  request,
} from '../../support/contract-server.ts';
import { loopRounds, standstill } from '../../support/loop-rounds.ts';
import { RawClient } from '../../support/raw-client.ts';
import { waitFor } from '../../support/wait-for.ts';
import type { Subject } from './contract.ts';

const chunkedField = 'Transfer-Encoding: chunked';

export function requestBodyContract({ factory }: Subject): void {
  async function start(
    t: TestContext,
    handle: (exchange: Exchange) => void,
    timeouts: Partial<EngineTimeouts> = {},
  ): Promise<{ server: ContractServer; client: RawClient }> {
    const server = await contractServer(factory, handle, timeouts);
    const client = await RawClient.connect(server.port);
    t.after(() => {
      client.destroy();
      server.close();
    });
    return { server, client };
  }

  const echo = (exchange: Exchange): void => readBody(exchange, (body) => exchange.respond(plain, body));

  /** Reads on after each piece when the test says so, where the path is `/pausing`. */
  function echoByPieces(exchange: Exchange): void {
    const pieces: Buffer[] = [];
    exchange.body.read({
      data(chunk) {
        pieces.push(chunk);
        if (exchange.head.target === '/pausing') exchange.body.pause();
      },
      end: () => exchange.respond(plain, Buffer.concat(pieces)),
      failed: (error) => refuseWith(exchange, error),
    });
  }

  /** Another client sends so many bytes and no more: when it is cut, the server has looked at those before it as well. */
  async function tooSlow(server: ContractServer, bytes: number): Promise<void> {
    const client = await RawClient.connect(server.port);
    client.send(request('POST', '/slow', ['Content-Length: 100000'], 'x'.repeat(bytes)));
    assert.equal((await client.response()).status, 408);
    client.destroy();
  }

  describe('a request body', () => {
    test('arrives whole, and the connection is kept for the next request', async (t) => {
      const { server, client } = await start(t, echo);
      client.send(request('POST', '/', ['Content-Length: 5'], 'hello'));
      assert.equal((await client.response()).body.toString(), 'hello');
      client.send(get('/next'));
      assert.equal((await client.response()).body.length, 0);
      assert.deepEqual(
        server.exchanges.map(({ body }) => [body.declaredLength, body.received]),
        [
          [5, 5],
          [0, 0],
        ],
      );
    });

    test('arrives whole when it comes chunked', async (t) => {
      const { server, client } = await start(t, echo);
      client.send(request('POST', '/', [chunkedField], '5\r\nhello\r\n3\r\nyou\r\n0\r\n\r\n'));
      assert.equal((await client.response()).body.toString(), 'helloyou');
      assert.equal(server.exchanges[0]?.body.declaredLength, undefined);
      assert.equal(server.exchanges[0]?.body.received, 8);
    });

    test('arrives whole when it comes byte by byte', async (t) => {
      const { client } = await start(t, echo);
      for (const byte of request('PUT', '/', ['Content-Length: 7'], 'a\0b\r\n\xffc')) {
        client.send(byte);
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.equal((await client.response()).body.toString('latin1'), 'a\0b\r\n\xffc');
    });

    test('is told to be empty at once when there is none', async (t) => {
      const ends: string[] = [];
      const { client } = await start(t, (exchange) => {
        readBody(exchange, () => ends.push('end'));
        ends.push('read');
        exchange.respond(plain, Buffer.from('x'));
      });
      client.send(request('POST', '/', ['Content-Length: 0']));
      assert.equal((await client.response()).status, 200);
      assert.deepEqual(ends, ['end', 'read']);
    });

    test('is held for a reader that comes late', async (t) => {
      const { client } = await start(t, (exchange) => void loopRounds().then(() => echo(exchange)));
      client.send(request('POST', '/', ['Content-Length: 5'], 'hello'));
      assert.equal((await client.response()).body.toString(), 'hello');
    });

    test('of 40 MB passes a reader that pauses after every piece', async (t) => {
      const digest = createHash('sha256');
      const { client } = await start(t, (exchange) => {
        exchange.body.limit = 1e9;
        exchange.body.read({
          data(chunk) {
            digest.update(chunk);
            exchange.body.pause();
            setImmediate(() => exchange.body.resume());
          },
          end: () => exchange.respond(plain, Buffer.from(digest.digest('hex'))),
          failed: (error) => refuseWith(exchange, error),
        });
      });
      const piece = Buffer.alloc(1024 * 1024, 'a body of many pieces ');
      const sent = createHash('sha256');
      client.send(request('POST', '/', [`Content-Length: ${40 * piece.length}`]));
      for (let count = 0; count < 40; count += 1) {
        piece.writeUInt32BE(count);
        sent.update(piece);
        await client.sendAll(Buffer.from(piece));
      }
      assert.equal((await client.response()).body.toString(), sent.digest('hex'));
    });

    test('of 20 MB comes whole in chunks', async (t) => {
      const digest = createHash('sha256');
      const { client } = await start(t, (exchange) => {
        exchange.body.read({
          data: (chunk) => void digest.update(chunk),
          end: () => exchange.respond(plain, Buffer.from(digest.digest('hex'))),
          failed: (error) => refuseWith(exchange, error),
        });
      });
      const piece = Buffer.alloc(70_001, 'chunk');
      const sent = createHash('sha256');
      client.send(request('POST', '/', [chunkedField]));
      for (let count = 0; count < 300; count += 1) {
        sent.update(piece);
        client.send(`${piece.length.toString(16)}\r\n`);
        client.send(piece);
        await client.sendAll(Buffer.from('\r\n'));
      }
      client.send('0\r\n\r\n');
      assert.equal((await client.response()).body.toString(), sent.digest('hex'));
    });

    test('is not read on while its reader pauses', async (t) => {
      let received = 0;
      const { server, client } = await start(t, (exchange) => {
        exchange.body.read({
          data(chunk) {
            received += chunk.length;
            exchange.body.pause();
          },
          end: () => exchange.respond(plain, Buffer.from('x')),
          failed: (error) => refuseWith(exchange, error),
        });
      });
      client.send(request('POST', '/', ['Content-Length: 80000000']));
      const piece = Buffer.alloc(64 * 1024);
      const send = (): void => {
        while (client.socket.write(piece));
      };
      client.socket.on('drain', send);
      send();
      await standstill(() => client.socket.bytesWritten, 'the client to be held up');
      const [exchange] = server.exchanges;
      assert.ok(exchange !== undefined && exchange.body.received < 20_000_000, `${exchange?.body.received} bytes came`);
      assert.ok(received < 1_000_000, `the paused reader got ${received} bytes`);
    });

    test('beyond its limit by its own announcement fails before a byte of it is read', async (t) => {
      const { server, client } = await start(t, (exchange) => {
        exchange.body.limit = 4;
        readBody(exchange, () => exchange.respond(plain, Buffer.from('read')));
      });
      client.send(request('POST', '/', ['Content-Length: 5']));
      const response = await client.response();
      assert.deepEqual([response.status, response.body.toString()], [413, 'body_too_large']);
      assert.equal(response.field('connection'), 'close');
      await client.closed();
      assert.deepEqual(server.events, ['handle POST /', 'finished 413']);
    });

    test('beyond its limit while it streams fails there, and the connection ends', async (t) => {
      const { client } = await start(t, (exchange) => {
        exchange.body.limit = 100_000;
        readBody(exchange, () => exchange.respond(plain, Buffer.from('read')));
      });
      client.send(request('POST', '/', [chunkedField]));
      const piece = `2710\r\n${'x'.repeat(10_000)}\r\n`;
      for (let count = 0; count < 11; count += 1) client.send(piece);
      assert.equal((await client.response()).status, 413);
      await client.closed();
    });

    test('of just its limit is taken', async (t) => {
      const { client } = await start(t, (exchange) => {
        exchange.body.limit = 5;
        echo(exchange);
      });
      client.send(request('POST', '/', [chunkedField], '5\r\nhello\r\n0\r\n\r\n'));
      assert.equal((await client.response()).body.toString(), 'hello');
    });

    test('that falls silent fails, and the connection ends', async (t) => {
      const { server, client } = await start(t, echo, { requestBodyMs: 300 });
      client.send(request('POST', '/', ['Content-Length: 10'], 'half'));
      const response = await client.response();
      assert.deepEqual([response.status, response.body.toString()], [408, 'request_timeout']);
      await client.closed();
      assert.deepEqual(server.events, ['handle POST /', 'finished 408']);
    });

    test('that trickles is not cut by its slowness', async (t) => {
      const requestBodyMs = 500;
      const { server, client } = await start(t, echo, { requestBodyMs });
      client.send(request('POST', '/', [chunkedField]));
      const begin = performance.now();
      let sent = 0;
      while (performance.now() - begin < 4 * requestBodyMs) {
        client.send('1\r\nx\r\n');
        sent += 1;
        await waitFor(() => server.exchanges[0]?.body.received === sent, 'the byte');
      }
      client.send('0\r\n\r\n');
      assert.equal((await client.response()).body.length, sent);
    });

    test('slower than the minimum rate fails once the grace has passed', async (t) => {
      const { client } = await start(t, echo, { minBodyRate: 10_000, minBodyRateGraceMs: 100 });
      client.send(request('POST', '/', ['Content-Length: 100000']));
      const timer = setInterval(() => client.send('some'), 100);
      t.after(() => clearInterval(timer));
      const response = await client.response();
      assert.deepEqual([response.status, response.body.toString()], [408, 'request_timeout']);
      await client.closed();
    });

    test('faster than the minimum rate on average may have breaks', async (t) => {
      const { server, client } = await start(t, echo, { minBodyRate: 1000, minBodyRateGraceMs: 100 });
      client.send(request('POST', '/', ['Content-Length: 60000'], 'x'.repeat(50_000)));
      await waitFor(() => server.exchanges[0]?.body.received === 50_000, 'the first part');
      await tooSlow(server, 2000);
      client.send('x'.repeat(10_000));
      assert.equal((await client.response()).body.length, 60_000);
    });

    test('that its reader holds up is not too slow', async (t) => {
      const { server, client } = await start(t, echoByPieces, { minBodyRate: 1000, minBodyRateGraceMs: 100 });
      client.send(request('POST', '/pausing', ['Content-Length: 4'], 'ab'));
      await waitFor(() => server.exchanges[0]?.body.received === 2, 'the first piece');
      await tooSlow(server, 2);
      client.send('cd');
      server.exchanges[0]?.body.resume();
      await waitFor(() => server.exchanges[0]?.body.received === 4, 'the second piece');
      await tooSlow(server, 2);
      server.exchanges[0]?.body.resume();
      assert.equal((await client.response()).body.toString(), 'abcd');
    });

    test('goes on for longer than the engine itself would allow, at 2 KB a second', async (t) => {
      const { client } = await start(t, echo, { minBodyRate: 512, minBodyRateGraceMs: 5000 });
      const seconds = 13;
      client.send(request('POST', '/', [`Content-Length: ${seconds * 2048}`]));
      for (let second = 0; second < seconds; second++) {
        client.send('x'.repeat(2048));
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
      assert.equal((await client.response()).body.length, seconds * 2048);
    });

    test('may be paused by its reader for longer than clients may be silent', async (t) => {
      const { server, client } = await start(t, echoByPieces, { requestBodyMs: 200 });
      client.send(request('POST', '/pausing', ['Content-Length: 4'], 'ab'));
      await waitFor(() => server.exchanges[0]?.body.received === 2, 'the first piece');
      await tooSlow(server, 2);
      client.send('cd');
      server.exchanges[0]?.body.resume();
      await waitFor(() => server.exchanges[0]?.body.received === 4, 'the second piece');
      server.exchanges[0]?.body.resume();
      assert.equal((await client.response()).body.toString(), 'abcd');
    });

    test('that nobody reads does not stop the response, and the connection ends', async (t) => {
      const { server, client } = await start(t, (exchange) => exchange.respond(plain, Buffer.from('unread')));
      client.send(request('POST', '/', ['Content-Length: 50000000'], 'x'.repeat(500_000)));
      assert.equal((await client.response()).body.toString(), 'unread');
      await client.closed();
      assert.equal(server.engine.inFlight, 0);
    });

    test('that nobody reads may be as large as the response that does not wait for it', async (t) => {
      const large = Buffer.alloc(3_000_000, 'large');
      const { client } = await start(t, (exchange) => {
        if (exchange.stream(plain, large.length, large)) exchange.end();
        else exchange.onDrain = () => exchange.end();
      });
      client.send(request('POST', '/', ['Content-Length: 3000000'], 'y'.repeat(3_000_000)));
      assert.ok((await client.response()).body.equals(large));
    });

    test('whose client goes away ends the exchange and never the body', async (t) => {
      const calls: string[] = [];
      const { server, client } = await start(t, (exchange) => {
        exchange.onAborted = () => calls.push('aborted');
        const sink: BodySink = {
          data: () => void calls.push('data'),
          end: () => void calls.push('end'),
          failed: () => void calls.push('failed'),
        };
        exchange.body.read(sink);
      });
      client.send(request('POST', '/', ['Content-Length: 10'], 'half'));
      await waitFor(() => calls.length > 0, 'the first piece');
      client.destroy();
      await waitFor(() => server.finished.length > 0, 'the end of the exchange');
      assert.deepEqual(calls, ['data', 'aborted']);
      assert.deepEqual(server.events, ['handle POST /', 'finished 0']);
      assert.equal(server.finished[0]?.aborted, true);
    });

    test('is asked for when the client waits for leave to send it', async (t) => {
      const { client } = await start(t, echo);
      client.send(request('POST', '/', ['Expect: 100-continue', 'Content-Length: 5']));
      const leave = await client.leave();
      assert.equal(leave, 'HTTP/1.1 100 Continue\r\n\r\n');
      client.send('hello');
      assert.equal((await client.response()).body.toString(), 'hello');
    });
  });
}
