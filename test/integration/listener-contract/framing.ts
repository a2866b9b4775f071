import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Exchange } from '../../../src/listener/exchange.ts';
import { ResponseHead, responseHead } from '../../../src/response/response-head.ts';
import { contractServer, get, plain, readBody, request } from '../../support/contract-server.ts';
import { RawClient, type RawResponse } from '../../support/raw-client.ts';
import type { Subject } from './contract.ts';

const hello = Buffer.from('hello');

/** How a response is given: within the handler's call, later, or when a body has been read. */
const moments: Record<string, (exchange: Exchange, respond: () => void) => void> = {
  'at once': (_exchange, respond) => respond(),
  later: (_exchange, respond) => void setImmediate(respond),
};

export function framingContract({ factory }: Subject): void {
  /** Sends one request and gives its response, and what else came before the server was told to close. */
  async function answer(
    t: TestContext,
    respond: (exchange: Exchange) => void,
    { method = 'GET', moment = 'at once' } = {},
  ): Promise<RawResponse> {
    const when = moments[moment];
    const server = await contractServer(factory, (exchange) => when?.(exchange, () => respond(exchange)));
    const client = await RawClient.connect(server.port);
    t.after(() => {
      client.destroy();
      server.close();
    });
    client.send(request(method, '/'));
    const response = await client.response(method);
    // A second request on the same connection proves that the first response ended where it said.
    client.send(request(method, '/second'));
    const second = await client.response(method);
    assert.deepEqual([second.status, second.body], [response.status, response.body]);
    assert.equal(client.pending.length, 0);
    assert.equal(server.finished.length, 2);
    assert.equal(server.engine.inFlight, 0);
    return response;
  }

  for (const moment of Object.keys(moments)) {
    describe(`framing of a response given ${moment}`, () => {
      test('a whole response has one Date, its length, and nothing of the engine', async (t) => {
        const response = await answer(t, (exchange) => exchange.respond(plain, hello), { moment });
        assert.equal(response.status, 200);
        assert.equal(response.reason, 'OK');
        assert.equal(response.field('content-length'), '5');
        assert.equal(response.body.toString(), 'hello');
        assert.ok(!Number.isNaN(Date.parse(response.field('date') ?? '')));
        const names = response.fields.map(([name]) => name.toLowerCase()).sort();
        assert.deepEqual(names, ['content-length', 'content-type', 'date']);
      });

      test('an empty body has Content-Length 0', async (t) => {
        const response = await answer(t, (exchange) => exchange.respond(plain, Buffer.alloc(0)), { moment });
        assert.equal(response.field('content-length'), '0');
      });

      test('HEAD gets the length and no body', async (t) => {
        const response = await answer(t, (exchange) => exchange.respond(plain, hello), { method: 'HEAD', moment });
        assert.equal(response.field('content-length'), '5');
      });

      test('HEAD by respondHead gets the length that is given, or none', async (t) => {
        const known = (exchange: Exchange): void => exchange.respondHead(plain, 123_456_789_012);
        assert.equal((await answer(t, known, { method: 'HEAD', moment })).field('content-length'), '123456789012');
        const unknown = (exchange: Exchange): void => exchange.respondHead(plain, undefined);
        assert.equal((await answer(t, unknown, { method: 'HEAD', moment })).field('content-length'), undefined);
      });

      test('HEAD of a streamed response leaves the body out', async (t) => {
        const stream = (exchange: Exchange): void => {
          assert.equal(exchange.stream(plain, 10, hello), true);
          assert.equal(exchange.write(hello), true);
          exchange.end();
        };
        const response = await answer(t, stream, { method: 'HEAD', moment });
        assert.equal(response.field('content-length'), '10');
        assert.equal(response.field('transfer-encoding'), undefined);
      });

      test('204 has neither length nor body', async (t) => {
        const response = await answer(t, (exchange) => exchange.respond(responseHead(204, []), hello), { moment });
        assert.equal(response.field('content-length'), undefined);
        assert.equal(response.field('transfer-encoding'), undefined);
      });

      test('304 has no body, and a length only when it is given', async (t) => {
        const without = await answer(t, (exchange) => exchange.respond(responseHead(304, []), hello), { moment });
        assert.equal(without.field('content-length'), undefined);
        const given = await answer(t, (exchange) => exchange.respondHead(responseHead(304, []), 5), { moment });
        assert.equal(given.field('content-length'), '5');
      });

      test('a stream of known length has Content-Length', async (t) => {
        const stream = (exchange: Exchange): void => {
          exchange.stream(plain, 10, hello);
          exchange.write(Buffer.from('world'));
          exchange.end();
        };
        const response = await answer(t, stream, { moment });
        assert.equal(response.field('content-length'), '10');
        assert.equal(response.body.toString(), 'helloworld');
        assert.equal(response.chunks, undefined);
      });

      test('a stream of length 0 is complete when it is ended', async (t) => {
        const stream = (exchange: Exchange): void => {
          exchange.stream(plain, 0);
          exchange.end();
        };
        assert.equal((await answer(t, stream, { moment })).field('content-length'), '0');
      });

      test('a stream of unknown length comes chunked', async (t) => {
        const stream = (exchange: Exchange): void => {
          exchange.stream(plain, undefined, hello);
          exchange.write(Buffer.alloc(0));
          exchange.write(Buffer.from('world'));
          exchange.end();
        };
        const response = await answer(t, stream, { moment });
        assert.equal(response.field('transfer-encoding'), 'chunked');
        assert.equal(response.field('content-length'), undefined);
        assert.equal(response.body.toString(), 'helloworld');
        assert.deepEqual(response.chunks, [5, 5]);
      });

      test('a stream of unknown length without any body is well framed', async (t) => {
        const stream = (exchange: Exchange): void => {
          exchange.stream(plain, undefined);
          exchange.end();
        };
        assert.equal((await answer(t, stream, { moment })).body.length, 0);
      });

      test('one chunk of 200,000 bytes arrives whole', async (t) => {
        const chunk = Buffer.alloc(200_000, 'portico ');
        const stream = (exchange: Exchange): void => {
          const end = (): void => exchange.end();
          if (exchange.stream(plain, undefined, chunk)) end();
          else exchange.onDrain = end;
        };
        assert.ok((await answer(t, stream, { moment })).body.equals(chunk));
      });

      test('every byte of a field value arrives as it was given', async (t) => {
        const bytes: number[] = [];
        for (let byte = 0x20; byte <= 0xff; byte += 1) if (byte !== 0x7f) bytes.push(byte);
        const value = Buffer.concat([Buffer.from('x'), Buffer.from(bytes), Buffer.from('x')]);
        const head = new ResponseHead(200, Buffer.concat([Buffer.from('200 OK\r\nX-Bytes: '), value]));
        const response = await answer(t, (exchange) => exchange.respond(head, hello), { moment });
        assert.equal(response.field('x-bytes'), value.toString('latin1'));
      });

      test('repeated fields, their order and their case are kept', async (t) => {
        const head = responseHead(200, [
          ['Set-Cookie', 'a=1'],
          ['X-Between', '-'],
          ['Set-Cookie', 'b=2'],
        ]);
        const response = await answer(t, (exchange) => exchange.respond(head, hello), { moment });
        assert.deepEqual(response.fields.slice(0, 3), [
          ['Set-Cookie', 'a=1'],
          ['X-Between', '-'],
          ['Set-Cookie', 'b=2'],
        ]);
      });

      test('a head of 40,000 bytes arrives whole', async (t) => {
        const fields = Array.from({ length: 40 }, (_, index) => [`X-Field-${index}`, 'v'.repeat(990)] as const);
        const head = responseHead(200, fields);
        const whole = await answer(t, (exchange) => exchange.respond(head, hello), { moment });
        assert.equal(whole.field('x-field-39'), 'v'.repeat(990));
        const stream = (exchange: Exchange): void => {
          exchange.stream(head, undefined, hello);
          exchange.end();
        };
        assert.equal((await answer(t, stream, { moment })).body.toString(), 'hello');
      });

      test('a status without a standard phrase is sent as it is', async (t) => {
        const head = responseHead(299, [], 'Somewhat Fine');
        const response = await answer(t, (exchange) => exchange.respond(head, hello), { moment });
        assert.deepEqual([response.status, response.reason], [299, 'Somewhat Fine']);
      });
    });
  }

  test('answering twice, or more than was announced, is a defect that throws', async (t) => {
    const thrown: unknown[] = [];
    const attempt = (step: () => void): void => {
      try {
        step();
      } catch (error) {
        thrown.push(error);
      }
    };
    await answer(t, (exchange) => {
      attempt(() => exchange.write(hello));
      exchange.stream(plain, 5);
      attempt(() => exchange.write(Buffer.from('too much')));
      attempt(() => exchange.respond(plain, hello));
      exchange.write(hello);
      exchange.end();
    });
    assert.equal(thrown.length, 6);
    assert.ok(thrown.every((error) => error instanceof Error));
  });

  test('the count of sent bytes is that of the body alone', async (t) => {
    const server = await contractServer(factory, (exchange) => {
      if (exchange.head.target === '/chunked') {
        exchange.stream(plain, undefined, hello);
        exchange.end();
      } else exchange.respond(plain, hello);
    });
    const client = await RawClient.connect(server.port);
    t.after(() => {
      client.destroy();
      server.close();
    });
    for (const [method, target] of [
      ['GET', '/'],
      ['HEAD', '/'],
      ['GET', '/chunked'],
    ] as const) {
      client.send(request(method, target));
      await client.response(method);
    }
    assert.deepEqual(
      server.finished.map(({ bytesSent }) => bytesSent),
      [5, 0, 5],
    );
  });

  test('a client that asks for it has its connection closed behind the response', async (t) => {
    const server = await contractServer(factory, (exchange) =>
      readBody(exchange, () => exchange.respond(plain, hello)),
    );
    t.after(() => server.close());
    for (const value of ['close', 'Close', 'close, TE', 'TE, close']) {
      const client = await RawClient.connect(server.port);
      t.after(() => client.destroy());
      client.send(get('/', `Connection: ${value}`));
      assert.equal((await client.response()).status, 200);
      await client.closed();
      assert.equal(client.errorCode, undefined);
    }
  });
}
