import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Exchange } from '../../../src/listener/exchange.ts';
import { createUwsEngine } from '../../../src/listener/uws-engine.ts';
import { type ContractServer, contractServer, get, plain } from '../../support/contract-server.ts';
import { RawClient } from '../../support/raw-client.ts';
import { waitFor } from '../../support/wait-for.ts';

process.env['UWS_HTTP_MAX_HEADERS_SIZE'] = String(32 * 1024);

// uWebSockets.js cuts what it holds itself 8 to 12 seconds after it got it, and is asked every 4 seconds whether it takes more.
const silenceMs = 26_000;
const pieceBytes = 16_000;

/** Writes that many bytes in pieces, the last one as small as it comes out. */
function writeAll(exchange: Exchange, length: number): void {
  let left = length;
  const run = (): void => {
    while (left > 0 && !exchange.aborted) {
      const piece = Buffer.alloc(Math.min(left, pieceBytes), left % 251);
      left -= piece.length;
      if (!exchange.write(piece)) return;
    }
    exchange.end();
  };
  exchange.onDrain = run;
  run();
}

/** `/known/LENGTH` and `/chunked/LENGTH`. */
function serve(exchange: Exchange): void {
  const [, kind, digits] = exchange.head.target.split('/');
  const length = Number(digits);
  setImmediate(() => {
    exchange.stream(plain, kind === 'known' ? length : undefined);
    writeAll(exchange, length);
  });
}

describe('a client that takes nothing for longer than uWebSockets.js waits, with little left to take', {
  concurrency: true,
}, () => {
  let server: ContractServer;
  let capacity = 0;

  before(async () => {
    server = await contractServer(createUwsEngine, serve);
    capacity = await takenBySockets();
  });
  after(() => server.close());

  /** What the sockets take of a response that nobody reads. */
  async function takenBySockets(): Promise<number> {
    const client = await RawClient.connect(server.port);
    client.pause();
    client.send(get('/known/100000000'));
    const sent = (): number => server.exchanges[0]?.bytesSent ?? 0;
    let latest = -1;
    await waitFor(() => {
      const settled = sent() > 0 && sent() === latest;
      latest = sent();
      return settled;
    }, 'a full socket');
    client.destroy();
    return latest;
  }

  async function getAfterSilence(path: string): Promise<number> {
    const client = await RawClient.connect(server.port);
    try {
      client.pause();
      client.send(get(path));
      await new Promise((resolve) => setTimeout(resolve, silenceMs));
      client.resume();
      return (await client.response()).body.length;
    } finally {
      client.destroy();
    }
  }

  for (const kind of ['known', 'chunked']) {
    test(`gets the end of a response of ${kind === 'known' ? 'known length' : 'unknown length'}`, async () => {
      // How full the sockets are when the last piece comes cannot be told: some of these tails meet a full one.
      const lengths = [1000, 5000, 9000, 13_000, 17_000, 21_000, 30_000, 45_000].map((beyond) => capacity + beyond);
      const received = await Promise.all(lengths.map((length) => getAfterSilence(`/${kind}/${length}`)));
      assert.deepEqual(received, lengths);
    });
  }
});
