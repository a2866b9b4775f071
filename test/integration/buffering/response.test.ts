import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { afterEach, describe, test } from 'node:test';
import { bufferingDefaults } from '../../../src/config/buffering-defaults.ts';
import { metricNames } from '../../../src/metrics/names.ts';
import type { FakeExchange } from '../../support/fake-exchange.ts';
import { KeptBodies } from '../../support/kept-bodies.ts';
import { Proxied } from '../../support/proxied.ts';
import { type OriginScript, ScriptedOrigin } from '../../support/scripted-origin.ts';
import { waitFor, waitForTurn } from '../../support/wait-for.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

function closing<T extends { close(): unknown }>(thing: T): T {
  closers.unshift(() => thing.close());
  return thing;
}

interface Setup {
  readonly origin: ScriptedOrigin;
  readonly kept: KeptBodies;
  readonly proxied: Proxied;
}

interface Limits {
  readonly size?: number;
  readonly memory?: number;
  readonly buffering?: Partial<typeof bufferingDefaults>;
}

async function setUp(script: OriginScript, limits: Limits = {}): Promise<Setup> {
  const origin = closing(await ScriptedOrigin.start(script));
  const kept = closing(new KeptBodies(limits));
  const buffering = { ...bufferingDefaults, ...limits.buffering };
  const proxied = closing(new Proxied([origin.server()], {}, { buffering }, undefined, undefined, kept));
  return { origin, kept, proxied };
}

const head = (length: number, more = ''): string => `HTTP/1.1 200 OK\r\nContent-Length: ${length}${more}\r\n\r\n`;

/** Answers each request with the body, in one go. */
function sending(body: Buffer, more = ''): OriginScript {
  return (socket) => {
    socket.write(head(body.length, more));
    socket.write(body);
  };
}

/** A request of a client that takes nothing of the body at first. */
function stalled({ proxied }: Setup): FakeExchange {
  const exchange = proxied.begin();
  exchange.stall(0);
  return exchange;
}

/** The client takes everything, piece by piece. */
async function takeAll(exchange: FakeExchange, bytesAtOnce: number): Promise<void> {
  await waitForTurn(() => {
    exchange.drain(bytesAtOnce);
    return exchange.complete || exchange.aborted;
  }, 'the end of the response');
}

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const buffered = (kept: KeptBodies, place: string): number =>
  kept.recorder.value(metricNames.bufferedBodies, { direction: 'response', place });

describe('a response to a slow client', () => {
  for (const size of [8193, 65_536, 200_000, 262_144, 400_000, 1_000_003, 7_654_321]) {
    for (const chunked of [false, true]) {
      test(`of ${size} bytes${chunked ? ' in chunks' : ''} is taken from the server at once and arrives whole`, async () => {
        const body = randomBytes(size);
        const setup = await setUp((socket) => {
          if (!chunked) return sending(body)(socket, { head: '', body, index: 0 });
          socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
          for (let start = 0; start < size; start += 50_000) {
            const piece = body.subarray(start, start + 50_000);
            socket.write(`${piece.length.toString(16)}\r\n`);
            socket.write(piece);
            socket.write('\r\n');
          }
          socket.write('0\r\n\r\n');
        });
        const exchange = stalled(setup);
        await waitFor(() => setup.proxied.upstream.servers[0]?.active === 0, 'the server to be free again');
        assert.ok(exchange.bytesSent < size);
        assert.ok((exchange.context?.upstream?.totalMs ?? 0) > 0, 'the time upstream has ended');
        const next = setup.proxied.begin();
        next.disconnect();
        await takeAll(exchange, 30_000);
        assert.equal(exchange.complete, true);
        assert.equal(digest(exchange.responseBody), digest(body));
        await waitFor(() => setup.kept.isEmpty, 'memory and budget to be given back');
        assert.equal(setup.kept.recorder.value(metricNames.spoolFiles), 0);
        assert.deepEqual(setup.kept.names, []);
      });
    }
  }

  test('uses one connection for the next request while the first client still reads', async () => {
    const body = randomBytes(3_000_000);
    const setup = await setUp(sending(body));
    const first = stalled(setup);
    await waitFor(() => setup.proxied.upstream.servers[0]?.active === 0, 'the server to be free again');
    const second = await setup.proxied.ask();
    assert.equal(digest(second.responseBody), digest(body));
    assert.equal(setup.origin.connections, 1);
    await takeAll(first, 100_000);
    assert.equal(digest(first.responseBody), digest(body));
  });

  test('goes out while the server still writes, each piece before the next is written', async () => {
    let server: Socket | undefined;
    const setup = await setUp((socket) => {
      server = socket;
      socket.write(`${head(300_000)}${'a'.repeat(100_000)}`);
    });
    const exchange = stalled(setup);
    await waitFor(() => exchange.stalled, 'the client to fall behind');
    exchange.drain(100_000);
    await waitFor(() => exchange.bytesSent === 100_000, 'the first part');
    server?.write('b'.repeat(100_000));
    exchange.drain(100_000);
    await waitFor(() => exchange.bytesSent === 200_000, 'the second part');
    server?.write('c'.repeat(100_000));
    exchange.drain();
    await exchange.finished;
    assert.equal(exchange.complete, true);
    assert.match(exchange.responseBody.toString(), /^a{100000}b{100000}c{100000}$/);
  });

  test('changes between slow and fast as often as it likes', async () => {
    const body = randomBytes(5_000_000);
    const setup = await setUp(async (socket) => {
      socket.write(head(body.length));
      for (let start = 0; start < body.length; start += 250_000) {
        socket.write(body.subarray(start, start + 250_000));
        await new Promise(setImmediate);
      }
    });
    const exchange = stalled(setup);
    for (let turn = 0; !exchange.complete; turn++) {
      exchange.drain(turn % 7 === 0 ? 900_000 : turn % 3 === 0 ? 1 : 60_000);
      await new Promise(setImmediate);
    }
    assert.equal(digest(exchange.responseBody), digest(body));
    await waitFor(() => setup.kept.isEmpty, 'memory and budget to be given back');
  });

  test('that is given up leaves nothing behind, whatever is under way', async () => {
    for (const hang of [false, true]) {
      const setup = await setUp(sending(randomBytes(4_000_000)));
      if (hang) setup.kept.disk.hang();
      const exchange = stalled(setup);
      await waitFor(() => (hang ? setup.kept.disk.hanging > 0 : setup.kept.disk.written > 0), 'the file');
      exchange.disconnect();
      setup.kept.disk.release();
      await waitFor(() => setup.kept.isEmpty, 'memory and budget to be given back');
      assert.equal(setup.kept.recorder.value(metricNames.spoolFiles), 0);
    }
  });

  test('is cut when the server dies within it, although a part of it is kept', async () => {
    for (const size of [100_000, 2_000_000]) {
      const setup = await setUp((socket) => {
        socket.write(head(size + 1));
        socket.write(Buffer.alloc(size), () => socket.resetAndDestroy());
      });
      const exchange = stalled(setup);
      await exchange.finished;
      assert.equal(exchange.aborted, true);
      assert.equal(exchange.complete, false);
      await waitFor(() => setup.kept.isEmpty, 'memory and budget to be given back');
    }
  });

  test('is cut when what is kept cannot be read', async () => {
    const setup = await setUp(sending(randomBytes(2_000_000)));
    const exchange = stalled(setup);
    await waitFor(() => setup.proxied.upstream.servers[0]?.active === 0, 'the server to be free again');
    setup.kept.disk.failures.read = 'EIO';
    await takeAll(exchange, 100_000);
    assert.equal(exchange.aborted, true);
    await waitFor(() => setup.kept.isEmpty, 'memory and budget to be given back');
  });
});

describe('the bounds', () => {
  const bounded: readonly (readonly [name: string, limits: Limits, fault: (kept: KeptBodies) => void])[] = [
    ['of the route', { buffering: { responseMax: 1_000_000 } }, () => {}],
    ['of the memory alone', { buffering: { responseMax: 0 } }, () => {}],
    ['of the spool', { size: 1024 ** 2 }, () => {}],
    ['of the disk', {}, (kept) => (kept.disk.capacity = 700_000)],
    ['of open files', {}, (kept) => (kept.disk.failures.open = 'EMFILE')],
    ['of a broken disk', {}, (kept) => (kept.disk.failures.write = 'EIO')],
    ['of all memory', { memory: 1024 ** 2 }, exhaust],
  ];
  for (const [name, limits, fault] of bounded) {
    test(`${name} make the server wait, and the response arrives whole all the same`, async () => {
      const body = randomBytes(16_000_000);
      const setup = await setUp(sending(body), limits);
      fault(setup.kept);
      const exchange = stalled(setup);
      const waits = (): number => setup.kept.recorder.value(metricNames.bufferBackpressure, { direction: 'response' });
      await waitFor(() => waits() > 0 || name === 'of all memory', 'the server to wait');
      assert.equal(setup.proxied.upstream.servers[0]?.active, 1);
      await takeAll(exchange, 300_000);
      assert.equal(exchange.complete, true);
      assert.equal(digest(exchange.responseBody), digest(body));
    });
  }

  function exhaust(kept: KeptBodies): void {
    while (kept.memory.tryAcquire(1) !== undefined);
  }
});

describe('no buffer', () => {
  test('comes into being for a client that keeps up', async () => {
    const setup = await setUp(sending(randomBytes(3_000_000)));
    const exchange = await setup.proxied.ask();
    assert.equal(exchange.responseBody.length, 3_000_000);
    assert.equal(buffered(setup.kept, 'memory') + buffered(setup.kept, 'spool'), 0);
  });

  for (const [name, more, limits] of [
    ['event streams', '\r\nContent-Type: text/event-stream; charset=utf-8', {}],
    ['`X-Accel-Buffering: no`', '\r\nX-Accel-Buffering: no', {}],
    ['`response: false`', '', { buffering: { response: false } }],
  ] as const) {
    test(`is there for ${name}: the server waits for the client`, async () => {
      const body = randomBytes(16_000_000);
      const setup = await setUp(sending(body, more), limits);
      const exchange = stalled(setup);
      await waitFor(() => exchange.stalled, 'the client to fall behind');
      assert.equal(setup.proxied.upstream.servers[0]?.active, 1);
      await takeAll(exchange, 1_000_000);
      assert.equal(digest(exchange.responseBody), digest(body));
      assert.doesNotMatch(exchange.responseBlock, /x-accel/i);
      assert.equal(buffered(setup.kept, 'memory') + buffered(setup.kept, 'spool'), 0);
    });
  }

  test('is there in spite of `response: false` when the application asks for it', async () => {
    const setup = await setUp(sending(randomBytes(1_000_000), '\r\nX-Accel-Buffering: yes'), {
      buffering: { response: false },
    });
    const exchange = stalled(setup);
    await waitFor(() => setup.proxied.upstream.servers[0]?.active === 0, 'the server to be free again');
    await takeAll(exchange, 100_000);
    assert.equal(exchange.complete, true);
  });

  test('is needed for an event: each arrives before the next is sent', async () => {
    let server: Socket | undefined;
    const setup = await setUp((socket) => {
      server = socket;
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n');
    });
    const exchange = setup.proxied.begin();
    await waitFor(() => exchange.responded, 'the head');
    for (let number = 0; number < 5; number++) {
      const event = `data: ${number}\n\n`;
      server?.write(`${event.length.toString(16)}\r\n${event}\r\n`);
      await waitFor(() => exchange.responseBody.toString().endsWith(event), `event ${number}`);
    }
    server?.write('0\r\n\r\n');
    await exchange.finished;
    assert.equal(exchange.complete, true);
  });

  for (const [name, method, response] of [
    ['HEAD', 'HEAD', head(5_000_000)],
    ['204', 'GET', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['304', 'GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5000000\r\n\r\n'],
  ] as const) {
    test(`is needed for ${name}`, async () => {
      const setup = await setUp((socket) => socket.write(response));
      const exchange = setup.proxied.begin({ method });
      exchange.stall(0);
      await exchange.finished;
      assert.equal(exchange.complete, true);
      assert.equal(exchange.responseBody.length, 0);
    });
  }
});
