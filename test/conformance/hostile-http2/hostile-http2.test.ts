import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { ErrorCode, Flag, FrameType, frame, numberFrame, Setting, settingsFrame } from '../../../src/http2/frame.ts';
import type { EngineTimeouts } from '../../../src/listener/engine.ts';
import type { Exchange } from '../../../src/listener/exchange.ts';
import { type ContractServer, plain, readBody } from '../../support/contract-server.ts';
import { http2Server } from '../../support/http2-server.ts';
import { getFields, headerBlock, RawHttp2Client } from '../../support/raw-http2-client.ts';
import { TestCertificates } from '../../support/test-certificates.ts';
import { waitFor } from '../../support/wait-for.ts';
import { type HostileHttp2, type Http2Expectation, hostileFields, hostileFrames } from './hostile-http2-requests.ts';

const certificates = new TestCertificates();
after(() => certificates.remove());

interface Seen {
  readonly exchange: Exchange;
  body: string | undefined;
}

async function serve(): Promise<{ server: ContractServer; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = await http2Server(certificates, (exchange) => {
    if (exchange.head.target.startsWith('/probe')) return exchange.respond(plain, Buffer.from('probe'));
    const request: Seen = { exchange, body: undefined };
    seen.push(request);
    // Nobody reads: what comes fills the window.
    if (exchange.head.target === '/held') return;
    readBody(exchange, (body) => {
      request.body = body.toString('latin1');
      exchange.respond(plain, Buffer.from('served'));
    });
  });
  return { server, seen };
}

/** The connection still serves. */
async function probe(client: RawHttp2Client): Promise<void> {
  client.get(1001, '/probe');
  assert.equal((await client.response(1001)).body.toString(), 'probe');
}

async function judge({ frames, expected }: HostileHttp2): Promise<void> {
  const { server, seen } = await serve();
  const client = await RawHttp2Client.connect(server.port);
  try {
    client.send(...frames);
    await judgeOutcome(expected, client, seen);
  } finally {
    client.destroy();
    server.close();
  }
}

async function judgeOutcome(expected: Http2Expectation, client: RawHttp2Client, seen: readonly Seen[]): Promise<void> {
  const wholeOnes = (): readonly Seen[] => seen.filter(({ body }) => body !== undefined);
  switch (expected.outcome) {
    case 'goaway':
      assert.equal(await client.closed(), expected.code);
      assert.deepEqual(wholeOnes(), []);
      return;
    case 'refused': {
      assert.equal((await client.response(1)).status, expected.status);
      await probe(client);
      assert.deepEqual(wholeOnes(), []);
      return;
    }
    case 'reset':
      assert.equal(await client.reset(1), expected.code);
      await probe(client);
      assert.ok(wholeOnes().every(({ exchange }) => exchange.head.target === '/a'));
      return;
    case 'canonical': {
      assert.equal((await client.response(1)).body.toString(), 'served');
      await probe(client);
      assert.equal(seen.length, 1);
      const { exchange, body } = seen[0] as Seen;
      assert.deepEqual(
        [exchange.head.method, exchange.head.target, body],
        [expected.method, expected.target, expected.body ?? ''],
      );
      for (const [name, value] of Object.entries(expected.fields ?? {}))
        assert.equal(exchange.head.fields.get(name), value);
    }
  }
}

for (const [title, rows] of Object.entries({ 'hostile fields': hostileFields, 'hostile frames': hostileFrames })) {
  describe(`HTTP/2, ${title}`, { concurrency: 8 }, () => {
    for (const row of rows) test(`a connection with ${row.name}: ${row.expected.outcome}`, () => judge(row));
  });
}

describe('HTTP/2, floods', () => {
  /** Sends the same again and again until the server has had enough. */
  async function flood(
    make: (round: number) => Uint8Array,
    rounds: number,
  ): Promise<{ code: number | undefined; served: number }> {
    const { server, seen } = await serve();
    const client = await RawHttp2Client.connect(server.port);
    try {
      for (let round = 0; round < rounds && !client.ended; round++) {
        client.send(make(round));
        if (round % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      const code = await client.closed();
      // Others are served as if nothing had been.
      const other = await RawHttp2Client.connect(server.port);
      await probe(other);
      other.destroy();
      await waitFor(() => server.engine.inFlight === 0, 'the end of what was begun');
      return { code, served: seen.length };
    } finally {
      client.destroy();
      server.close();
    }
  }

  const calm = ErrorCode.enhanceYourCalm;
  const get = (stream: number): Buffer =>
    frame(FrameType.headers, Flag.endHeaders | Flag.endStream, stream, headerBlock(getFields('/')));

  test('requests that are taken back as fast as they are made end the connection', async () => {
    const { code, served } = await flood(
      (round) => Buffer.concat([get(2 * round + 1), numberFrame(FrameType.rstStream, 2 * round + 1, ErrorCode.cancel)]),
      100_000,
    );
    assert.equal(code, calm);
    assert.ok(served <= 1000, `${served} were given to the handler`);
  });

  test('pings without end do so too', async () => {
    assert.equal((await flood(() => frame(FrameType.ping, 0, 0, Buffer.alloc(8)), 100_000)).code, calm);
  });

  test('settings without end do so too', async () => {
    assert.equal((await flood(() => settingsFrame([[4, 65_535]]), 100_000)).code, calm);
  });

  test('a header block without an end does so too', async () => {
    const piece = headerBlock([['x', 'v'.repeat(1000)]]);
    const { code, served } = await flood(
      (round) =>
        round === 0
          ? frame(FrameType.headers, 0, 1, headerBlock(getFields('/')))
          : frame(FrameType.continuation, 0, 1, piece),
      10_000,
    );
    assert.deepEqual([code, served], [calm, 0]);
  });

  test('empty continuations do so too', async () => {
    const { code } = await flood(
      (round) =>
        round === 0
          ? frame(FrameType.headers, 0, 1, headerBlock(getFields('/')))
          : frame(FrameType.continuation, 0, 1, Buffer.alloc(0)),
      10_000,
    );
    assert.equal(code, calm);
  });

  test('empty data does so too', async () => {
    const post = headerBlock([
      [':method', 'POST'],
      [':scheme', 'https'],
      [':authority', 'localhost'],
      [':path', '/'],
    ]);
    const { code } = await flood(
      (round) =>
        round === 0 ? frame(FrameType.headers, Flag.endHeaders, 1, post) : frame(FrameType.data, 0, 1, Buffer.alloc(0)),
      100_000,
    );
    assert.equal(code, calm);
  });

  test('priorities without end do so too', async () => {
    assert.equal(
      (await flood((round) => frame(FrameType.priority, 0, 2 * round + 1, Buffer.alloc(5)), 100_000)).code,
      calm,
    );
  });

  test('more streams at once than announced are refused, not served', async () => {
    const held: Exchange[] = [];
    const server = await http2Server(certificates, (exchange) => void held.push(exchange));
    const client = await RawHttp2Client.connect(server.port);
    try {
      for (let stream = 1; stream < 2 * 140; stream += 2) client.send(get(stream));
      assert.equal(await client.reset(2 * 128 + 1), ErrorCode.refusedStream);
      assert.equal(held.length, 128);
      for (const exchange of held) exchange.respond(plain, Buffer.from('late'));
      assert.equal((await client.response(1)).body.toString(), 'late');
    } finally {
      client.destroy();
      server.close();
    }
  });

  test('a client that takes nothing of many responses holds a bounded piece of each', async () => {
    const large = Buffer.alloc(4_000_000);
    const server = await http2Server(certificates, (exchange) => {
      exchange.onDrain = () => exchange.end();
      exchange.stream(plain, large.length, large);
    });
    const client = await RawHttp2Client.connect(server.port);
    try {
      for (let stream = 1; stream < 2 * 100; stream += 2) client.send(get(stream));
      await waitFor(() => server.exchanges.length === 100, 'the requests');
      const sent = server.exchanges.reduce((sum, { bytesSent }) => sum + bytesSent, 0);
      // 64 KB of each for the window of the stream or the connection, and a piece that waits.
      assert.ok(sent <= 100 * 2 * 65_536, `${sent} bytes were taken over`);
    } finally {
      client.destroy();
      server.close();
    }
  });
});

describe('limits of HTTP/2', () => {
  const serveLimited = async (options: Partial<EngineTimeouts>): Promise<[ContractServer, RawHttp2Client]> => {
    const server = await http2Server(certificates, () => undefined, options);
    return [server, await RawHttp2Client.connect(server.port)];
  };

  test('a connection has as many requests under way as are allowed, and is told how many', async (t) => {
    const [server, client] = await serveLimited({ http2Streams: 2 });
    t.after(() => {
      client.destroy();
      server.close();
    });
    for (const stream of [1, 3, 5]) client.get(stream, '/held');
    assert.equal(await client.reset(5), ErrorCode.refusedStream);
    assert.deepEqual(server.events, ['handle GET /held', 'handle GET /held']);
    const settings = await client.frame(({ type, flags }) => type === FrameType.settings && (flags & Flag.ack) === 0);
    const pairs: [number, number][] = [];
    for (let at = 0; at < settings.payload.length; at += 6)
      pairs.push([settings.payload.readUInt16BE(at), settings.payload.readUInt32BE(at + 2)]);
    assert.equal(new Map(pairs).get(Setting.maxConcurrentStreams), 2);
  });

  test('many streams that each send little leave room on the connection', async (t) => {
    let received = 0;
    const server = await http2Server(certificates, ({ body }) => {
      body.read({ data: (piece) => (received += piece.length), end: () => undefined, failed: () => undefined });
    });
    const client = await RawHttp2Client.connect(server.port);
    t.after(() => {
      client.destroy();
      server.close();
    });
    const fields = getFields('/').map(([name, value]) => [name, name === ':method' ? 'POST' : value] as const);
    // Of each less than what a stream is told of at a time, of all together what the connection has room for.
    const piece = Buffer.alloc(16_000);
    for (let stream = 1; stream <= 41; stream += 2) {
      client.send(frame(FrameType.headers, Flag.endHeaders, stream, headerBlock(fields)));
      for (let count = 0; count < 3; count++) client.send(frame(FrameType.data, 0, stream, piece));
    }
    client.send(frame(FrameType.ping, 0, 0, Buffer.alloc(8)));
    await client.frame(({ type, flags }) => type === FrameType.ping && flags === Flag.ack);
    assert.equal(received, 21 * 3 * piece.length);
    const room = client.frames
      .filter(({ type, stream }) => type === FrameType.windowUpdate && stream === 0)
      .reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 65_535);
    assert.ok(room - received > 700_000, `${room - received} bytes are left`);
  });

  test('more requests taken back than are allowed end the connection', async (t) => {
    const [server, client] = await serveLimited({ http2Resets: 1 });
    t.after(() => {
      client.destroy();
      server.close();
    });
    for (let stream = 1; stream < 40; stream += 2) {
      client.get(stream, '/held');
      client.send(numberFrame(FrameType.rstStream, stream, ErrorCode.cancel));
    }
    assert.equal(await client.closed(), ErrorCode.enhanceYourCalm);
    assert.deepEqual(server.cuts, ['http2_flood']);
    await waitFor(() => server.finished.length === server.exchanges.length, 'the end of all requests');
  });
});
