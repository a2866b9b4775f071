import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { codings, streams } from '../../../src/compression/coding.ts';
import type { RouteCompression } from '../../../src/compression/route-compression.ts';
import { responseHead } from '../../../src/response/response-head.ts';
import { decode } from '../../support/decoded-get.ts';
import { FakeExchange, type FakeRequest } from '../../support/fake-exchange.ts';
import { loopRounds } from '../../support/loop-rounds.ts';
import { pageText } from '../../support/page-text.ts';
import { routeCompression } from '../../support/route-compression.ts';
import { waitFor } from '../../support/wait-for.ts';

const htmlHead = responseHead(200, [['Content-Type', 'text/html']]);
const eventHead = responseHead(200, [['Content-Type', 'text/event-stream']]);
const page = Buffer.from(pageText(3_000_000));
const available = codings.filter(streams);

function begin(compression: RouteCompression, request: FakeRequest = {}) {
  const client = new FakeExchange({ fields: { 'accept-encoding': 'gzip' }, ...request });
  const context = client.withContext();
  compression.apply(context);
  return { client, exchange: context.exchange };
}

/** Writes as the contract of exchanges asks: waits for `onDrain`, and uses the memory of a chunk again once it may. */
class CarefulWriter {
  #drained: () => void = () => {};

  readonly exchange: ReturnType<typeof begin>['exchange'];

  constructor(exchange: ReturnType<typeof begin>['exchange']) {
    this.exchange = exchange;
    exchange.onDrain = () => this.#drained();
  }

  async write(bytes: Buffer, send: (chunk: Buffer) => boolean = (chunk) => this.exchange.write(chunk)): Promise<void> {
    const chunk = Buffer.from(bytes);
    const drained = new Promise<void>((resolve) => (this.#drained = resolve));
    if (!send(chunk)) await drained;
    chunk.fill(0xee);
  }
}

describe('a compressed response', () => {
  test('decodes to what was written, whatever the pieces, the pauses and the client', async () => {
    const pieces = fc.array(fc.oneof(fc.nat(200), fc.nat(70_000), fc.nat(300_000)), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(
        pieces,
        fc.constantFrom(...available),
        fc.boolean(),
        fc.boolean(),
        fc.constantFrom(0, 50),
        fc.array(fc.nat(60_000), { maxLength: 6 }),
        async (sizes, coding, isLengthKnown, pauses, flush, drains) => {
          const compression = routeCompression({ minSize: 0, flush });
          const { client, exchange } = begin(compression, { fields: { 'accept-encoding': coding } });
          const total = sizes.reduce((sum, size) => sum + size, 0);
          client.stall(drains[0] ?? Number.POSITIVE_INFINITY);
          const takes = setInterval(() => client.drain(drains.pop()), 1);
          const writer = new CarefulWriter(exchange);
          try {
            exchange.stream(htmlHead, isLengthKnown ? total : undefined);
            let position = 0;
            for (const size of sizes) {
              await writer.write(page.subarray(position, position + size));
              position += size;
              if (pauses) await nextTurn();
            }
            exchange.end();
            await client.finished;
          } finally {
            clearInterval(takes);
          }
          assert.ok(client.complete);
          const fields = client.responseFields;
          assert.ok(decode(client.responseBody, fields.get('content-encoding')).equals(page.subarray(0, total)));
          assert.equal(compression.resources.budget.used, 0);
          assert.equal(compression.resources.clock.size, 0);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('is the same by respond, and does not touch the body', async () => {
    for (const size of [2000, 32_768, 32_769, 2_000_000]) {
      const { client, exchange } = begin(routeCompression());
      const body = Buffer.from(page.subarray(0, size));
      exchange.respond(htmlHead, body);
      await client.finished;
      assert.equal(client.responseFields.get('content-encoding'), 'gzip');
      assert.ok(decode(client.responseBody, 'gzip').equals(page.subarray(0, size)));
      assert.ok(body.equals(page.subarray(0, size)));
    }
  });

  test('holds little of what a client does not take', async () => {
    const { client, exchange } = begin(routeCompression());
    client.stall(0);
    let taken = 0;
    exchange.stream(htmlHead, undefined);
    // What cannot be compressed makes the encoder give out as much as it takes.
    const noise = Buffer.from(Array.from({ length: 65_536 }, (_, index) => (index * 2_654_435_761) >>> 13));
    let free = true;
    exchange.onDrain = () => (free = true);
    for (let quiet = 0; quiet < 50; ) {
      if (free) {
        quiet = 0;
        free = exchange.write(noise);
        taken += noise.length;
        assert.ok(taken < 2_000_000, 'takes without an end');
      } else quiet++;
      await nextTurn();
    }
    client.disconnect();
    assert.ok(taken > 0);
  });

  test('frees the encoder at once when the client goes away, and tells the writer', async () => {
    const compression = routeCompression();
    const { client, exchange } = begin(compression);
    let told = 0;
    exchange.onAborted = () => told++;
    exchange.stream(htmlHead, undefined);
    exchange.write(page.subarray(0, 500_000));
    assert.ok(compression.resources.budget.used > 0);
    client.disconnect();
    assert.equal(told, 1);
    assert.equal(compression.resources.budget.used, 0);
    assert.equal(compression.resources.clock.size, 0);
    assert.equal(exchange.write(page), true);
    exchange.end();
    await nextTurn();
  });

  test('frees the encoder when the writer gives up, while bytes are collected or compressed', () => {
    for (const size of [100, 500_000]) {
      const compression = routeCompression();
      const { client, exchange } = begin(compression);
      exchange.stream(htmlHead, undefined, page.subarray(0, size));
      assert.equal(exchange.responded, true);
      exchange.abort();
      assert.ok(client.aborted);
      assert.equal(compression.resources.budget.used, 0);
      assert.equal(compression.resources.clock.size, 0);
    }
  });

  test('gives out what waits for more after a while', async () => {
    for (const coding of available) {
      const { client, exchange } = begin(routeCompression({ flush: 50 }), { fields: { 'accept-encoding': coding } });
      exchange.stream(htmlHead, undefined);
      exchange.write(Buffer.from('first words'));
      assert.equal(client.responded, false);
      await waitFor(() => client.bytesSent > 0, 'the first words');
      const before = client.bytesSent;
      exchange.write(Buffer.from('second words'));
      await waitFor(() => client.bytesSent > before, 'the second words');
      exchange.end();
      await client.finished;
      assert.equal(decode(client.responseBody, coding).toString(), 'first wordssecond words');
    }
  });

  test('sends the head of a response that has no body yet, in gzip and brotli', async () => {
    // zstd has nothing to give out then, and a head alone cannot be sent.
    for (const coding of ['gzip', 'br']) {
      const { client, exchange } = begin(routeCompression(), { fields: { 'accept-encoding': coding } });
      exchange.stream(htmlHead, undefined);
      await waitFor(() => client.bytesSent > 0, `the head with the beginning of ${coding}`);
      exchange.end();
      await client.finished;
      assert.equal(decode(client.responseBody, coding).length, 0);
    }
  });

  test('sends each event of a stream at once, where events are to be compressed', async () => {
    const compression = routeCompression({ types: ['text/event-stream'], flush: 10_000 });
    const { client, exchange } = begin(compression);
    exchange.stream(eventHead, undefined);
    await waitFor(() => client.bytesSent > 0, 'the head, before the first event');
    for (let event = 0; event < 3; event++) {
      const before = client.bytesSent;
      exchange.write(Buffer.from(`data: ${event}\n\n`));
      await waitFor(() => client.bytesSent > before, 'an event');
    }
    exchange.end();
    await client.finished;
    assert.equal(decode(client.responseBody, 'gzip').toString(), 'data: 0\n\ndata: 1\n\ndata: 2\n\n');
  });

  test('goes out as it is when there is no memory for it', async () => {
    const compression = routeCompression({}, 1000);
    const large = begin(compression);
    large.exchange.respond(htmlHead, page);
    await large.client.finished;
    assert.equal(large.client.responseFields.get('content-encoding'), undefined);
    assert.equal(large.client.responseFields.get('vary'), 'Accept-Encoding');
    assert.ok(large.client.responseBody.equals(page));
    const small = begin(compression);
    small.exchange.respond(htmlHead, page.subarray(0, 5000));
    assert.equal(small.client.responseFields.get('content-encoding'), 'gzip');
  });

  test('is collected to its end where its length is small and there is no memory for a stream', async () => {
    const { client, exchange } = begin(routeCompression({ flush: 0 }, 1000));
    exchange.stream(htmlHead, 3000);
    exchange.write(page.subarray(0, 1000));
    await loopRounds();
    exchange.write(page.subarray(1000, 3000));
    exchange.end();
    assert.ok(decode(client.responseBody, 'gzip').equals(page.subarray(0, 3000)));
  });
});
