import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { afterEach, describe, test } from 'node:test';
import { metricNames } from '../../../src/metrics/names.ts';
import { PorticoError } from '../../../src/response/portico-error.ts';
import { FakeExchange } from '../../support/fake-exchange.ts';
import { KeptBodies } from '../../support/kept-bodies.ts';
import { Proxied } from '../../support/proxied.ts';
import { ScriptedOrigin } from '../../support/scripted-origin.ts';
import { waitFor } from '../../support/wait-for.ts';

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi';
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

async function setUp(limits: { size?: number; memory?: number } = {}, script?: ScriptedOrigin): Promise<Setup> {
  const origin = closing(script ?? (await ScriptedOrigin.answering(ok)));
  const kept = closing(new KeptBodies(limits));
  const proxied = closing(new Proxied([origin.server()], {}, {}, undefined, undefined, kept));
  return { origin, kept, proxied };
}

/** A request whose body the test sends piece by piece. */
function begin({ proxied }: Setup): FakeExchange {
  const exchange = new FakeExchange({ method: 'POST', chunked: true });
  exchange.body.hold();
  proxied.handler.handle(exchange.withContext());
  return exchange;
}

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('a request body', () => {
  test('is read whole before a server is asked for, and is sent with its length', async () => {
    const setup = await setUp();
    const exchange = begin(setup);
    exchange.body.push('one');
    await new Promise(setImmediate);
    exchange.body.push('two');
    await new Promise(setImmediate);
    assert.equal(setup.origin.connections, 0);
    exchange.body.finish();
    await exchange.finished;
    assert.equal(exchange.status, 200);
    assert.equal(setup.origin.requests[0]?.body.toString(), 'onetwo');
    assert.match(setup.origin.requests[0]?.head ?? '', /\r\nContent-Length: 6(\r\n|$)/);
    assert.doesNotMatch(setup.origin.requests[0]?.head ?? '', /transfer-encoding/i);
    assert.ok(setup.kept.isEmpty);
  });

  test('that comes chunked and is empty is sent with length 0', async () => {
    const setup = await setUp();
    assert.equal((await setup.proxied.ask({ method: 'POST', chunked: true })).status, 200);
    assert.match(setup.origin.requests[0]?.head ?? '', /Content-Length: 0/);
  });

  // Around what is kept as one piece, in memory, and in a file; in pieces that fit into nothing.
  for (const size of [1, 16_384, 16_385, 65_535, 65_536, 65_537, 1_000_003, 12_345_678]) {
    for (const piece of [7_001, 600_000]) {
      test(`of ${size} bytes in pieces of ${piece} arrives as it was sent`, async () => {
        const setup = await setUp();
        const body = randomBytes(size);
        const exchange = begin(setup);
        for (let start = 0; start < size; start += piece) exchange.body.push(body.subarray(start, start + piece));
        exchange.body.finish();
        await exchange.finished;
        assert.equal(exchange.status, 200);
        assert.equal(digest(setup.origin.requests[0]?.body ?? Buffer.alloc(0)), digest(body));
        assert.ok(setup.kept.isEmpty);
        assert.deepEqual(setup.kept.names, []);
      });
    }
  }

  for (const size of [16_384, 16_385, 1_000_003]) {
    test(`of ${size} bytes that were announced, in one piece, arrives as it was sent`, async () => {
      const setup = await setUp();
      const body = randomBytes(size);
      assert.equal((await setup.proxied.ask({ method: 'POST', body })).status, 200);
      assert.equal(digest(setup.origin.requests[0]?.body ?? Buffer.alloc(0)), digest(body));
      assert.ok(setup.kept.isEmpty);
    });
  }

  test('survives a disk that writes less than it is given', async () => {
    const setup = await setUp();
    setup.kept.disk.shortWrites = 10_000;
    const body = randomBytes(300_000);
    const exchange = await setup.proxied.ask({ method: 'POST', body });
    assert.equal(exchange.status, 200);
    assert.equal(digest(setup.origin.requests[0]?.body ?? Buffer.alloc(0)), digest(body));
  });

  test('is sent again, from the file, when the connection was lost and the method may be repeated', async () => {
    let turn = 0;
    const origin = await ScriptedOrigin.start((socket) => {
      if (turn++ === 0) socket.resetAndDestroy();
      else socket.write(ok);
    });
    const setup = await setUp({}, origin);
    for (const body of [randomBytes(100), randomBytes(700_000)]) {
      turn = 0;
      const exchange = await setup.proxied.ask({ method: 'PUT', body });
      assert.equal(exchange.status, 200);
      assert.equal(turn, 2);
      assert.equal(digest(origin.requests.at(-1)?.body ?? Buffer.alloc(0)), digest(body));
      assert.ok(setup.kept.isEmpty);
    }
    turn = 0;
    assert.equal((await setup.proxied.ask({ method: 'POST', body: 'once' })).status, 502);
    assert.equal(turn, 1);
  });

  test('pauses the client while the disk is behind', async () => {
    const setup = await setUp();
    setup.kept.disk.hang();
    const exchange = begin(setup);
    exchange.body.push(randomBytes(300_000));
    await waitFor(() => exchange.body.paused, 'the client to be paused');
    assert.equal(setup.kept.recorder.value(metricNames.bufferBackpressure, { direction: 'request' }), 1);
    setup.kept.disk.release();
    await waitFor(() => !exchange.body.paused, 'the client to go on');
    exchange.body.finish();
    await exchange.finished;
    assert.equal(setup.origin.requests[0]?.body.length, 300_000);
  });

  test('that comes on in spite of the pause is bounded in memory', async () => {
    const setup = await setUp();
    setup.kept.disk.hang();
    const exchange = begin(setup);
    const body = randomBytes(512 * 1024);
    exchange.body.push(body);
    await waitFor(() => exchange.body.paused, 'the client to be paused');
    exchange.body.ignorePause = true;
    for (let index = 0; index < 40; index++) exchange.body.push(body);
    assert.ok(setup.kept.memory.lent <= 2 * 1024 ** 2, `${setup.kept.memory.lent} bytes held`);
    assert.ok(setup.kept.disk.writtenNow > 10 * 1024 ** 2);
    setup.kept.disk.release();
    exchange.body.finish();
    await exchange.finished;
    const [request] = setup.origin.requests;
    assert.equal(request?.body.length, 41 * body.length);
    for (let index = 0; index < 41; index++) {
      assert.ok(request?.body.subarray(index * body.length, (index + 1) * body.length).equals(body));
    }
  });

  test('goes to a file early when the memory is lent out', async () => {
    const setup = await setUp({ memory: 1024 ** 2 });
    const taken = [];
    for (let lent = setup.kept.memory.tryAcquire(1); lent; lent = setup.kept.memory.tryAcquire(1)) taken.push(lent);
    const exchange = begin(setup);
    const body = randomBytes(20_000);
    exchange.body.push(body);
    exchange.body.finish();
    await waitFor(() => setup.kept.memory.waiting === 1, 'the body to wait for memory to be sent from');
    for (const buffer of taken) setup.kept.memory.release(buffer);
    await exchange.finished;
    assert.equal(exchange.status, 200);
    assert.equal(digest(setup.origin.requests[0]?.body ?? Buffer.alloc(0)), digest(body));
  });
});

describe('a client that goes away while its body is kept', () => {
  for (const [when, hang] of [
    ['between two writes', false],
    ['during a write', true],
  ] as const) {
    test(`${when} leaves nothing behind, and no server is asked`, async () => {
      const setup = await setUp();
      if (hang) setup.kept.disk.hang();
      const exchange = begin(setup);
      exchange.body.push(randomBytes(300_000));
      if (!hang) await waitFor(() => setup.kept.disk.written > 0, 'a write');
      exchange.disconnect();
      setup.kept.disk.release();
      await waitFor(() => setup.kept.isEmpty, 'memory and budget to be given back');
      assert.equal(setup.origin.connections, 0);
      assert.equal(setup.kept.recorder.value(metricNames.spoolFiles), 0);
    });
  }

  test('does not keep the file while it is sent upstream', async () => {
    const origin = await ScriptedOrigin.start(() => {}, { onConnection: (socket) => (socket.pause(), true) });
    const setup = await setUp({}, origin);
    const exchange = setup.proxied.begin({ method: 'POST', body: Buffer.alloc(20_000_000) });
    await waitFor(() => origin.connections === 1, 'the upload to begin');
    exchange.disconnect();
    await waitFor(() => setup.kept.isEmpty, 'memory and budget to be given back');
  });
});

describe('a body that cannot be kept', () => {
  test('because the spool is used up is answered with 503 and Retry-After, counted and logged', async () => {
    const setup = await setUp({ size: 1024 ** 2 });
    const exchange = begin(setup);
    for (let index = 0; index < 30; index++) exchange.body.push(Buffer.alloc(100_000));
    await exchange.finished;
    assert.equal(exchange.status, 503);
    assert.match(exchange.responseBlock, /\r\nRetry-After: \d+/);
    assert.equal(exchange.context?.error?.code, 'spool_full');
    assert.equal(setup.kept.recorder.value(metricNames.spoolFailures, { reason: 'full' }), 1);
    assert.deepEqual(setup.kept.logger.messages('warn'), ['the spool is full']);
    assert.equal(setup.origin.connections, 0);
    await waitFor(() => setup.kept.isEmpty, 'memory and budget to be given back');
    const next = await setup.proxied.ask({ method: 'POST', body: Buffer.alloc(500_000) });
    assert.equal(next.status, 200, 'the next one fits again');
  });

  for (const [operation, code] of [
    ['open', 'EMFILE'],
    ['open', 'ENOENT'],
    ['write', 'ENOSPC'],
    ['write', 'EIO'],
    ['read', 'EIO'],
  ] as const) {
    test(`because of ${code} at ${operation} is answered with 503, counted and logged`, async () => {
      const setup = await setUp();
      setup.kept.disk.failures[operation] = code;
      const exchange = await setup.proxied.ask({ method: 'POST', body: Buffer.alloc(500_000) });
      assert.equal(exchange.status, 503);
      assert.equal(exchange.context?.error?.code, 'spool_failed');
      assert.ok(setup.kept.recorder.value(metricNames.spoolFailures, { reason: 'failed' }) >= 1);
      assert.deepEqual(setup.kept.logger.messages('error'), ['the spool cannot be used']);
      await waitFor(() => setup.kept.isEmpty, 'memory and budget to be given back');
      delete setup.kept.disk.failures[operation];
      assert.equal((await setup.proxied.ask({ method: 'POST', body: Buffer.alloc(500_000) })).status, 200);
    });
  }

  test('because the disk fills up while it comes is answered with 503', async () => {
    const setup = await setUp();
    setup.kept.disk.capacity = 400_000;
    const exchange = begin(setup);
    for (let index = 0; index < 30; index++) exchange.body.push(Buffer.alloc(100_000));
    await exchange.finished;
    assert.equal(exchange.status, 503);
    assert.equal(setup.origin.connections, 0);
    await waitFor(() => setup.kept.isEmpty, 'memory and budget to be given back');
  });

  test('because it is too large is answered with 413', async () => {
    const setup = await setUp();
    const exchange = begin(setup);
    exchange.body.push(Buffer.alloc(300_000));
    exchange.body.fail(new PorticoError('body_too_large', 'over the limit'));
    await exchange.finished;
    assert.equal(exchange.status, 413);
    assert.equal(setup.origin.connections, 0);
    await waitFor(() => setup.kept.isEmpty, 'memory and budget to be given back');
  });
});

test('`request: false` passes the body on as it comes', async () => {
  const origin = closing(await ScriptedOrigin.answering(ok, { ignoreBody: true }));
  const kept = closing(new KeptBodies());
  const buffering = { request: false, response: true, requestMemory: 1, responseMemory: 1, responseMax: 1 };
  const proxied = closing(new Proxied([origin.server()], {}, { buffering }, undefined, undefined, kept));
  const exchange = new FakeExchange({ method: 'POST', chunked: true });
  exchange.body.hold();
  proxied.handler.handle(exchange.withContext());
  exchange.body.push('begin');
  await exchange.finished;
  assert.equal(exchange.status, 200, 'answered before the body has ended');
});
