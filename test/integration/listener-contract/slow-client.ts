import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Exchange } from '../../../src/listener/exchange.ts';
import type { PaceLimit } from '../../../src/listener/send-pace.ts';
import { type ContractServer, contractServer, get, plain } from '../../support/contract-server.ts';
import { standstill } from '../../support/loop-rounds.ts';
import { RawClient } from '../../support/raw-client.ts';
import { waitFor } from '../../support/wait-for.ts';
import type { Subject } from './contract.ts';

const large = Buffer.alloc(20_000_000);

/** Ways to send 20 MB. */
const responses: Record<string, (exchange: Exchange) => void> = {
  'a whole response': (exchange) => exchange.respond(plain, large),
  'a stream of known length': (exchange) => {
    exchange.onDrain = () => exchange.end();
    exchange.stream(plain, large.length, large);
  },
  'a stream of unknown length': (exchange) => {
    exchange.onDrain = () => exchange.end();
    exchange.stream(plain, undefined, large);
  },
};

export function slowClientContract({ factory }: Subject): void {
  async function start(
    t: TestContext,
    handle: (exchange: Exchange) => void,
    sendMs = 60_000,
    pace: PaceLimit = {},
  ): Promise<{ server: ContractServer; client: RawClient }> {
    const server = await contractServer(factory, handle, { sendMs, ...pace });
    const client = await RawClient.connect(server.port);
    t.after(() => {
      client.destroy();
      server.close();
    });
    return { server, client };
  }

  for (const [what, respond] of Object.entries(responses)) {
    describe(`a client that stops reading ${what}`, () => {
      test('is cut after the time that it is given', async (t) => {
        const { server, client } = await start(t, respond, 300);
        client.pause();
        client.send(get());
        await waitFor(() => server.finished.length === 1, 'the end of the exchange');
        assert.equal(server.finished[0]?.aborted, true);
        await waitFor(() => server.engine.connections === 0, 'the end of the connection');
        client.resume();
        await assert.rejects(client.response());
        assert.deepEqual(server.cuts, ['send_timeout']);
      });

      test('is cut when it has taken less than the minimum rate asks for', async (t) => {
        const { server, client } = await start(t, respond, 60_000, { minSendRate: 1_000_000, minSendRateGraceMs: 300 });
        client.pause();
        client.send(get());
        await waitFor(() => server.finished.length === 1, 'the end of the exchange');
        assert.equal(server.finished[0]?.aborted, true);
        assert.deepEqual(server.cuts, ['send_rate']);
      });

      test('for a while gets all of it', async (t) => {
        const { server, client } = await start(t, respond);
        client.pause();
        client.send(get());
        await standstill(() => server.exchanges[0]?.bytesSent ?? 0, 'a full socket');
        assert.equal(server.finished.length, 0);
        client.resume();
        assert.equal((await client.response()).body.length, large.length);
        assert.deepEqual(server.events, ['handle GET /', 'finished 200']);
      });

      test('and goes away ends the exchange', async (t) => {
        const { server, client } = await start(t, respond);
        client.pause();
        client.send(get());
        await waitFor(() => server.exchanges[0]?.responded === true, 'the response');
        client.reset();
        await waitFor(() => server.finished.length === 1, 'the end of the exchange');
        assert.equal(server.finished[0]?.aborted, true);
        assert.equal(server.engine.inFlight, 0);
      });
    });
  }
}
