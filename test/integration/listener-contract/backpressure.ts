import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, type TestContext, test } from 'node:test';
import type { Exchange } from '../../../src/listener/exchange.ts';
import { contractServer, get, plain, readBody, request } from '../../support/contract-server.ts';
import { loopRounds, standstill } from '../../support/loop-rounds.ts';
import { RawClient } from '../../support/raw-client.ts';
import { waitFor } from '../../support/wait-for.ts';
import type { Subject } from './contract.ts';

const megabyte = 1024 * 1024;

/** Writes pieces, every one different, as fast as they are taken; the buffer of a taken piece is used again. */
class PieceWriter {
  readonly digest = createHash('sha256');
  drains = 0;
  readonly #exchange: Exchange;
  readonly #buffer: Buffer;
  #left: number;

  constructor(exchange: Exchange, pieces: number, pieceBytes: number) {
    this.#exchange = exchange;
    this.#left = pieces;
    this.#buffer = Buffer.alloc(pieceBytes);
    exchange.onDrain = () => {
      this.drains += 1;
      this.run();
    };
  }

  run(): void {
    while (this.#left > 0 && !this.#exchange.aborted) {
      this.#buffer.fill(`${this.#left} `);
      this.#left -= 1;
      this.digest.update(this.#buffer);
      if (!this.#exchange.write(this.#buffer)) return;
    }
    this.#exchange.end();
  }
}

export function backpressureContract({ factory }: Subject): void {
  /** Reads 40 MB slowly and compares it with what was written. */
  async function readSlowly(t: TestContext, length: number | undefined, pieceBytes: number): Promise<void> {
    const pieces = Math.ceil((40 * megabyte) / pieceBytes);
    let writer: PieceWriter | undefined;
    const server = await contractServer(factory, (exchange) => {
      setImmediate(() => {
        exchange.stream(plain, length === undefined ? undefined : pieces * pieceBytes);
        writer = new PieceWriter(exchange, pieces, pieceBytes);
        writer.run();
      });
    });
    const client = await RawClient.connect(server.port);
    t.after(() => {
      client.destroy();
      server.close();
    });
    client.send(get());
    const pauses = setInterval(() => {
      client.pause();
      setTimeout(() => client.resume(), 15);
    }, 20);
    t.after(() => clearInterval(pauses));
    const { body } = await client.response();
    clearInterval(pauses);
    assert.equal(body.length, pieces * pieceBytes);
    assert.equal(createHash('sha256').update(body).digest('hex'), writer?.digest.digest('hex'));
    assert.ok((writer?.drains ?? 0) > 0, 'the writer was never held back');
    assert.equal(server.finished[0]?.bytesSent, pieces * pieceBytes);
    // The connection is whole: the next response follows where this one ended.
    client.send(request('HEAD', '/'));
    assert.equal((await client.response('HEAD')).status, 200);
  }

  describe('a client that reads slowly', () => {
    for (const pieceBytes of [1000, 16_384, 65_536, 300_001]) {
      test(`gets 40 MB of known length, written by ${pieceBytes} bytes, unharmed`, (t) => readSlowly(t, 0, pieceBytes));
      test(`gets 40 MB in chunks, written by ${pieceBytes} bytes, unharmed`, (t) =>
        readSlowly(t, undefined, pieceBytes));
    }

    test('gets a whole response of 30 MB unharmed, without a copy of it being made', async (t) => {
      const body = Buffer.alloc(30 * megabyte);
      for (let at = 0; at < body.length; at += 4) body.writeUInt32LE(at, at);
      const server = await contractServer(factory, (exchange) => exchange.respond(plain, body));
      const client = await RawClient.connect(server.port);
      t.after(() => {
        client.destroy();
        server.close();
      });
      const before = process.memoryUsage().rss;
      client.pause();
      client.send(get());
      await waitFor(() => server.exchanges[0]?.responded === true, 'the response');
      await loopRounds();
      const grown = process.memoryUsage().rss - before;
      assert.ok(grown < 15 * megabyte, `memory grew by ${grown} bytes`);
      assert.equal(server.finished.length, 0);
      client.resume();
      assert.ok((await client.response()).body.equals(body));
      assert.deepEqual(server.events, ['handle GET /', 'finished 200']);
    });

    test('holds the writer back before much is held in memory', async (t) => {
      for (const length of [undefined, 200 * megabyte]) {
        let written = 0;
        const server = await contractServer(factory, (exchange) => {
          setImmediate(() => {
            exchange.stream(plain, length);
            const piece = Buffer.alloc(10_000);
            do written += piece.length;
            while (exchange.write(piece) && written < 200 * megabyte - piece.length);
          });
        });
        const client = await RawClient.connect(server.port);
        t.after(() => {
          client.destroy();
          server.close();
        });
        client.pause();
        client.send(get());
        await standstill(() => written, 'the writer to be held back');
        assert.ok(written < 20 * megabyte, `${written} bytes were taken`);
      }
    });
  });

  test('a body goes up and comes down again as it comes, 20 MB of it', async (t) => {
    const server = await contractServer(factory, (exchange) => {
      exchange.onDrain = () => exchange.body.resume();
      exchange.stream(plain, 20 * megabyte);
      exchange.body.read({
        data(chunk) {
          if (!exchange.write(chunk)) exchange.body.pause();
        },
        end: () => exchange.end(),
        failed: () => exchange.abort(),
      });
    });
    const client = await RawClient.connect(server.port);
    t.after(() => {
      client.destroy();
      server.close();
    });
    const piece = Buffer.alloc(megabyte, 'there and back again ');
    client.send(request('POST', '/', [`Content-Length: ${20 * megabyte}`]));
    const sending = (async () => {
      for (let count = 0; count < 20; count += 1) await client.sendAll(piece);
    })();
    const { body } = await client.response();
    await sending;
    assert.ok(body.equals(Buffer.concat(Array.from({ length: 20 }, () => piece))));
  });

  test('many clients read and write at once and none gets what is another one’s', async (t) => {
    const server = await contractServer(factory, (exchange) => {
      readBody(exchange, (body) => {
        const unknown = exchange.head.target.endsWith('chunked');
        if (exchange.stream(plain, unknown ? undefined : body.length, body)) exchange.end();
        else exchange.onDrain = () => exchange.end();
      });
    });
    t.after(() => server.close());
    const one = async (index: number): Promise<void> => {
      const client = await RawClient.connect(server.port);
      t.after(() => client.destroy());
      for (let round = 0; round < 3; round += 1) {
        const body = Buffer.alloc(700_000 + index, `${index}/${round} `);
        const path = index % 2 === 0 ? '/chunked' : '/known';
        client.send(request('POST', path, [`Content-Length: ${body.length}`]));
        client.send(body);
        assert.ok((await client.response()).body.equals(body));
      }
    };
    await Promise.all(Array.from({ length: 20 }, (_, index) => one(index)));
    assert.equal(server.finished.length, 60);
  });
}
