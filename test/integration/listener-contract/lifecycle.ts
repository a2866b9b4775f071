import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { EngineTimeouts } from '../../../src/listener/engine.ts';
import type { Exchange } from '../../../src/listener/exchange.ts';
import { type ContractServer, contractServer, get, plain, request } from '../../support/contract-server.ts';
import { freePort } from '../../support/free-port.ts';
import { loopRounds } from '../../support/loop-rounds.ts';
import { RawClient } from '../../support/raw-client.ts';
import { waitFor } from '../../support/wait-for.ts';
import type { Subject } from './contract.ts';

const hello = Buffer.from('hello');
const timeouts: EngineTimeouts = { requestBodyMs: 60_000, sendMs: 60_000, minBodyRate: 0, minBodyRateGraceMs: 0 };
const idle = { handle: () => {}, refuse: () => {}, finished: () => {} };

export function lifecycleContract({ factory, facts }: Subject): void {
  async function start(
    t: TestContext,
    handle: (exchange: Exchange) => void,
  ): Promise<{ server: ContractServer; client: RawClient }> {
    const server = await contractServer(factory, handle);
    const client = await RawClient.connect(server.port);
    t.after(() => {
      client.destroy();
      server.close();
    });
    return { server, client };
  }

  describe('an exchange', () => {
    for (const when of ['at once', 'later']) {
      test(`that is aborted ${when} cuts the connection and finishes once`, async (t) => {
        const calls: string[] = [];
        const { server, client } = await start(t, (exchange) => {
          exchange.onAborted = () => calls.push('aborted');
          const abort = (): void => {
            exchange.abort();
            exchange.abort();
            exchange.respond(plain, hello);
            assert.equal(exchange.write(hello), true);
            exchange.end();
          };
          if (when === 'at once') abort();
          else setImmediate(abort);
        });
        client.send(get());
        await client.closed();
        assert.equal(client.pending.length, 0);
        assert.deepEqual(calls, ['aborted']);
        assert.deepEqual(server.events, ['handle GET /', 'finished 0']);
        assert.equal(server.finished[0]?.aborted, true);
      });
    }

    test('that is aborted within a body never looks complete to the client', async (t) => {
      for (const length of [undefined, 10]) {
        const { server, client } = await start(t, (exchange) => {
          exchange.stream(plain, length, hello);
        });
        client.send(get());
        await client.receivedAtLeast(1);
        server.exchanges[0]?.abort();
        await assert.rejects(client.response(), /ended/);
      }
    });

    test('that ends short of its announced length is cut, never completed', async (t) => {
      const { server, client } = await start(t, (exchange) => {
        exchange.stream(plain, 10, hello);
        exchange.end();
      });
      client.send(get());
      await assert.rejects(client.response(), /ended/);
      assert.equal(server.finished[0]?.aborted, true);
    });

    test('whose client has gone takes everything and does nothing', async (t) => {
      const calls: string[] = [];
      const { server, client } = await start(t, (exchange) => {
        exchange.onAborted = () => calls.push('aborted');
      });
      client.send(get());
      await waitFor(() => server.exchanges.length === 1, 'the request');
      if (facts.halfClosed === 'gone') client.destroy();
      else client.reset();
      await waitFor(() => calls.length === 1, 'the abort');
      const [exchange] = server.exchanges;
      assert.ok(exchange?.aborted);
      exchange.respond(plain, hello);
      exchange.respondHead(plain, 1);
      assert.equal(exchange.stream(plain, 5, hello), true);
      assert.equal(exchange.write(hello), true);
      exchange.end();
      exchange.abort();
      exchange.body.pause();
      exchange.body.resume();
      assert.deepEqual([exchange.responded, exchange.status, exchange.bytesSent], [false, 0, 0]);
      assert.deepEqual(server.events, ['handle GET /', 'finished 0']);
    });

    test(`whose client has ended its side is ${facts.halfClosed}`, async (t) => {
      const { server, client } = await start(t, (exchange) => {
        exchange.onAborted = () => undefined;
      });
      client.send(get());
      await waitFor(() => server.exchanges.length === 1, 'the request');
      client.halfClose();
      if (facts.halfClosed === 'gone') {
        await waitFor(() => server.finished.length === 1, 'the end of the exchange');
        assert.equal(server.finished[0]?.aborted, true);
        return;
      }
      await loopRounds();
      server.exchanges[0]?.respond(plain, hello);
      assert.deepEqual((await client.response()).body, hello);
      await client.closed();
    });

    test('finishes last, after the handler’s own call', async (t) => {
      const order: string[] = [];
      const { server, client } = await start(t, (exchange) => {
        exchange.respond(plain, hello);
        order.push(`handler, ${server.finished.length} finished`);
      });
      client.send(get());
      await client.response();
      assert.deepEqual(order, ['handler, 0 finished']);
      assert.equal(server.finished.length, 1);
    });
  });

  describe('an engine', () => {
    test('counts connections and requests in flight', async (t) => {
      let release: (() => void) | undefined;
      const { server, client } = await start(t, (exchange) => {
        release = () => exchange.respond(plain, hello);
      });
      const other = await RawClient.connect(server.port);
      t.after(() => other.destroy());
      await waitFor(() => server.engine.connections === 2, 'both connections');
      client.send(get());
      await waitFor(() => server.engine.inFlight === 1, 'the request');
      release?.();
      await client.response();
      assert.equal(server.engine.inFlight, 0);
      other.destroy();
      await waitFor(() => server.engine.connections === 1, 'the end of one connection');
    });

    test('that drains refuses connections, finishes what is in flight and closes behind it', async (t) => {
      let release: (() => void) | undefined;
      const { server, client } = await start(t, (exchange) => {
        release = () => exchange.respond(plain, hello);
      });
      client.send(get());
      await waitFor(() => release !== undefined, 'the request');
      let drained = false;
      const draining = server.engine.drain().then(() => {
        drained = true;
      });
      await assert.rejects(RawClient.connect(server.port), /ECONNREFUSED/);
      assert.equal(drained, false);
      release?.();
      const response = await client.response();
      assert.equal(response.field('connection'), 'close');
      assert.equal(response.body.toString(), 'hello');
      await client.closed();
      await draining;
    });

    test('that drains says so in every kind of response', async (t) => {
      const kinds: Record<string, (exchange: Exchange) => void> = {
        '/whole': (exchange) => exchange.respond(plain, hello),
        '/large': (exchange) => exchange.respond(plain, Buffer.alloc(100_000)),
        '/head': (exchange) => exchange.respondHead(plain, 5),
        '/chunked': (exchange) => {
          exchange.stream(plain, undefined, hello);
          exchange.end();
        },
        '/known': (exchange) => {
          exchange.stream(plain, 5, hello);
          exchange.end();
        },
      };
      const { server } = await start(t, (exchange) => kinds[exchange.head.target]?.(exchange));
      const clients = await Promise.all(Object.keys(kinds).map(() => RawClient.connect(server.port)));
      t.after(() => clients.forEach((client) => client.destroy()));
      await waitFor(() => server.engine.connections === clients.length + 1, 'the connections');
      await server.engine.drain();
      for (const [index, target] of Object.keys(kinds).entries()) {
        const method = target === '/head' ? 'HEAD' : 'GET';
        clients[index]?.send(request(method, target));
        const response = await clients[index]?.response(method);
        assert.equal(response?.field('connection'), 'close', target);
      }
    });

    test('that has nothing in flight is drained at once, idle connections or not', async (t) => {
      const { server } = await start(t, (exchange) => exchange.respond(plain, hello));
      await server.engine.drain();
      await server.engine.drain();
    });

    test('listens on several addresses and stops doing so one by one', async (t) => {
      const { server, client } = await start(t, (exchange) => exchange.respond(plain, hello));
      const second = await server.engine.listen({ address: 'second', host: undefined, port: 0 });
      const kept = await RawClient.connect(second);
      t.after(() => kept.destroy());
      kept.send(get());
      assert.equal((await kept.response()).status, 200);
      assert.equal(server.exchanges.at(-1)?.connection.listener, 'second');
      server.engine.unlisten({ address: 'second', host: '127.0.0.1', port: 0 });
      await assert.rejects(RawClient.connect(second), /ECONNREFUSED/);
      // What was connected lives on.
      kept.send(get());
      assert.equal((await kept.response()).status, 200);
      client.send(get());
      assert.equal((await client.response()).status, 200);
      server.engine.unlisten({ address: 'second', host: '127.0.0.1', port: 0 });
    });

    test('shares its port with another one', { skip: !facts.sharesPorts }, async (t) => {
      const address = { address: 'shared', host: '127.0.0.1', port: await freePort() };
      for (const engine of [factory(idle, timeouts), factory(idle, timeouts)]) {
        t.after(() => engine.close());
        assert.equal(await engine.listen(address), address.port);
      }
    });

    for (const [what, address] of Object.entries({
      'a port that is none': { host: '127.0.0.1', port: 99_999 },
      'a negative port': { host: '127.0.0.1', port: -1 },
      'an address of another machine': { host: '192.0.2.1', port: 0 },
      'a host that is none': { host: 'no host', port: 0 },
    })) {
      test(`says which address it is that it cannot listen on: ${what}`, async (t) => {
        const engine = factory(idle, timeouts);
        t.after(() => engine.close());
        await assert.rejects(engine.listen({ address: 'as:configured', ...address }), /^Error: .*as:configured/);
      });
    }

    test('that closes cuts every connection', async (t) => {
      const { server, client } = await start(t, () => {});
      client.send(get());
      await waitFor(() => server.exchanges.length === 1, 'the request');
      server.engine.close();
      await client.closed();
      await waitFor(() => server.finished.length === 1, 'the end of the exchange');
    });

    test('takes new timeouts while it runs', async (t) => {
      const { server, client } = await start(t, (exchange) => exchange.respond(plain, Buffer.alloc(20_000_000)));
      client.pause();
      client.send(get());
      await waitFor(() => server.exchanges.length === 1, 'the request');
      server.engine.configure({ requestBodyMs: 60_000, sendMs: 200, minBodyRate: 0, minBodyRateGraceMs: 0 });
      await waitFor(() => server.finished.length === 1, 'the cut');
      assert.equal(server.finished[0]?.aborted, true);
    });

    test('is named after its implementation', () => {
      const engine = factory(idle, timeouts);
      assert.match(engine.name, /\S/);
      engine.close();
    });
  });
}
