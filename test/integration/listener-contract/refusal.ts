import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Exchange } from '../../../src/listener/exchange.ts';
import { type ContractServer, contractServer, get, plain, readBody, request } from '../../support/contract-server.ts';
import { loopRounds } from '../../support/loop-rounds.ts';
import { RawClient } from '../../support/raw-client.ts';
import { waitFor } from '../../support/wait-for.ts';
import type { Subject } from './contract.ts';

const ok = (exchange: Exchange): void => exchange.respond(plain, Buffer.from('ok'));

export function refusalContract({ factory, facts }: Subject): void {
  async function start(
    t: TestContext,
    handle: (exchange: Exchange) => void = ok,
  ): Promise<{ server: ContractServer; client: RawClient }> {
    const server = await contractServer(factory, handle);
    const client = await RawClient.connect(server.port);
    t.after(() => {
      client.destroy();
      server.close();
    });
    return { server, client };
  }

  describe('a refused request', () => {
    test('is answered by the handler, and its connection closed', async (t) => {
      const { server, client } = await start(t);
      client.send(get('/', 'Content-Length: 1', 'Content-Length: 1'));
      const response = await client.response();
      assert.deepEqual([response.status, response.body.toString()], [400, 'request_malformed']);
      assert.equal(response.field('connection'), 'close');
      await client.closed();
      assert.deepEqual(server.events, ['refuse request_malformed', 'finished 400']);
      assert.equal(server.engine.inFlight, 0);
    });

    test('by HEAD has no body, and its connection is closed', async (t) => {
      const { client } = await start(t);
      client.send(request('HEAD', '/', ['Content-Length: 1', 'Content-Length: 1']));
      assert.equal((await client.response('HEAD')).status, 400);
      await client.closed();
      assert.equal(client.pending.length, 0);
    });

    test('leaves no request behind it to be served', async (t) => {
      const { server, client } = await start(t);
      client.send(`${get('/bad', 'Transfer-Encoding: gzip, chunked')}0\r\n\r\n${get('/smuggled')}`);
      await client.closed();
      assert.ok(!server.events.some((event) => event.includes('smuggled')), server.events.join());
    });

    test('may have an unknown expectation: 417', async (t) => {
      const { client } = await start(t);
      client.send(request('POST', '/', ['Expect: the-unexpected', 'Content-Length: 5']));
      assert.equal((await client.response()).status, 417);
      await client.closed();
    });

    test('may be too large in its head: 431, and the handler never gets it', async (t) => {
      const { server, client } = await start(t);
      client.send(get('/', `X-Large: ${'x'.repeat(40_000)}`));
      assert.match((await client.leave()).slice(0, 13), /^HTTP\/1\.1 431 /);
      await client.closed();
      const told = ['refuse header_too_large', 'finished 431'];
      assert.deepEqual(server.events, facts.tellsLargeHeads ? told : []);
    });
  });

  describe('a defect', () => {
    const defects: Record<string, (exchange: Exchange) => void> = {
      'in the handler': () => {
        throw new Error('handler');
      },
      'in a body sink': (exchange) => {
        exchange.body.read({
          data: () => {
            throw new Error('sink');
          },
          end: () => {},
          failed: () => {},
        });
      },
      'at the end of a body': (exchange) => {
        readBody(exchange, () => {
          throw new Error('end');
        });
      },
    };
    for (const [place, handle] of Object.entries(defects)) {
      test(`${place} becomes 500`, async (t) => {
        const { server, client } = await start(t, handle);
        client.send(request('POST', '/', ['Content-Length: 5'], 'hello'));
        const response = await client.response();
        assert.deepEqual([response.status, response.body.toString()], [500, 'internal']);
        assert.deepEqual(server.events, ['handle POST /', 'refuse internal', 'finished 500']);
      });
    }

    test('in the handler of a request without a body becomes 500, and the connection is kept', async (t) => {
      const { client } = await start(t, (exchange) => {
        if (exchange.head.target === '/bad') throw new Error('handler');
        ok(exchange);
      });
      client.send(get('/bad'));
      assert.equal((await client.response()).status, 500);
      client.send(get('/good'));
      assert.equal((await client.response()).status, 200);
    });

    test('after a response has begun cuts the connection', async (t) => {
      const warnings = hushWarnings(t);
      const { server, client } = await start(t, (exchange) => {
        exchange.stream(plain, 100, Buffer.from('begun'));
        throw new Error('late');
      });
      client.send(get());
      await assert.rejects(client.response(), /ended/);
      assert.deepEqual(server.events, ['handle GET /', 'finished 200']);
      assert.equal(server.finished[0]?.aborted, true);
      await waitFor(() => warnings.length > 0, 'the warning');
    });

    test('in onDrain, onAborted or the end of an exchange ends no process', async (t) => {
      const warnings = hushWarnings(t);
      const { server, client } = await start(t, (exchange) => {
        exchange.onDrain = () => {
          throw new Error('drain');
        };
        exchange.onAborted = () => {
          throw new Error('aborted');
        };
        exchange.stream(plain, 50_000_000, Buffer.alloc(20_000_000));
      });
      client.send(get());
      await assert.rejects(client.response(), /ended/);
      await waitFor(() => server.finished.length === 1, 'the end of the exchange');
      assert.ok(warnings.length >= 1);
      assert.equal(server.engine.inFlight, 0);
    });
  });

  describe('requests sent without waiting for the answer', () => {
    test('are served in order when each is answered at once', async (t) => {
      const { client } = await start(t, (exchange) => exchange.respond(plain, Buffer.from(exchange.head.target)));
      client.send(get('/1') + get('/2') + get('/3'));
      for (const target of ['/1', '/2', '/3']) assert.equal((await client.response()).body.toString(), target);
    });

    test(`behind a pending one are ${facts.pipelined}`, async (t) => {
      const { server, client } = await start(t, (exchange) => void loopRounds().then(() => ok(exchange)));
      client.send(get('/1') + get('/2'));
      if (facts.pipelined === 'served') {
        assert.equal((await client.response()).status, 200);
        assert.equal((await client.response()).status, 200);
      } else {
        await client.closed();
        assert.equal(client.pending.length, 0);
        await waitFor(() => server.finished.length === 1, 'the end of the exchange');
      }
      assert.equal(server.events.filter((event) => event.startsWith('finished')).length, server.exchanges.length);
    });
  });
}

/** Defects that no response tells about are warned of; here they are meant. */
function hushWarnings(t: TestContext): unknown[] {
  const warnings: unknown[] = [];
  t.mock.method(process, 'emitWarning', (warning: unknown) => void warnings.push(warning));
  return warnings;
}
