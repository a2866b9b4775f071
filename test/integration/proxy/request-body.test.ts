import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { PorticoError } from '../../../src/response/portico-error.ts';
import { FakeExchange } from '../../support/fake-exchange.ts';
import { loopRounds } from '../../support/loop-rounds.ts';
import { Proxied } from '../../support/proxied.ts';
import { ScriptedOrigin } from '../../support/scripted-origin.ts';
import { waitFor, waitForTurn } from '../../support/wait-for.ts';

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi';
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

function closing<T extends { close(): unknown }>(thing: T): T {
  closers.unshift(() => thing.close());
  return thing;
}

describe('a request body', () => {
  test('with a length is sent with that length', async () => {
    const origin = closing(await ScriptedOrigin.answering(ok));
    const proxied = closing(new Proxied([origin.server()]));
    for (let turn = 0; turn < 2; turn++) {
      assert.equal((await proxied.ask({ method: 'POST', body: 'a=1&b=2' })).status, 200);
      assert.equal(origin.requests[turn]?.body.toString(), 'a=1&b=2');
      assert.match(origin.requests[turn]?.head ?? '', /\r\nContent-Length: 7(\r\n|$)/);
    }
    assert.equal(origin.connections, 1, 'the connection is used again');
  });

  test('in chunks is sent in chunks of its own framing', async () => {
    const origin = closing(await ScriptedOrigin.answering(ok));
    const proxied = closing(new Proxied([origin.server()]));
    const exchange = new FakeExchange({
      method: 'POST',
      body: 'one',
      chunked: true,
      fields: { 'transfer-encoding': 'chunked' },
    });
    exchange.body.hold();
    proxied.handler.handle(exchange.withContext());
    await loopRounds();
    exchange.body.push('');
    exchange.body.push('two');
    await loopRounds();
    exchange.body.push('three');
    exchange.body.finish();
    await exchange.finished;
    assert.equal(exchange.status, 200);
    const [request] = origin.requests;
    assert.equal(request?.body.toString(), 'onetwothree');
    assert.equal(/transfer-encoding: .*/gi.exec(request?.head ?? '')?.length, 1);
    assert.doesNotMatch(request?.head ?? '', /content-length/i);
  });

  test('in chunks may be empty', async () => {
    const origin = closing(await ScriptedOrigin.answering(ok));
    const exchange = await closing(new Proxied([origin.server()])).ask({ method: 'POST', chunked: true });
    assert.equal(exchange.status, 200);
    assert.equal(origin.requests[0]?.body.length, 0);
  });

  test('of length 0 is said for POST and left out for GET', async () => {
    const origin = closing(await ScriptedOrigin.answering(ok));
    const proxied = closing(new Proxied([origin.server()]));
    await proxied.ask({ method: 'POST' });
    await proxied.ask({ method: 'GET' });
    assert.match(origin.requests[0]?.head ?? '', /Content-Length: 0/);
    assert.doesNotMatch(origin.requests[1]?.head ?? '', /Content-Length/);
  });

  test('takes no connection before it has begun', async () => {
    const origin = closing(await ScriptedOrigin.answering(ok));
    const proxied = closing(new Proxied([origin.server()]));
    const exchange = new FakeExchange({ method: 'POST', chunked: true });
    exchange.body.hold();
    proxied.handler.handle(exchange.withContext());
    await loopRounds();
    assert.equal(origin.connections, 0);
    exchange.body.push('late');
    exchange.body.finish();
    await exchange.finished;
    assert.equal(origin.requests[0]?.body.toString(), 'late');
  });

  test('that fails ends the request with its error and the upstream request with it', async () => {
    const origin = closing(await ScriptedOrigin.answering(ok));
    const proxied = closing(new Proxied([origin.server()]));
    const exchange = new FakeExchange({ method: 'POST', body: 'part', chunked: true });
    exchange.body.hold();
    proxied.handler.handle(exchange.withContext());
    await waitFor(() => origin.open > 0, 'the connection');
    exchange.body.fail(new PorticoError('body_too_large', 'over the limit'));
    await exchange.finished;
    assert.equal(exchange.status, 413);
    await waitFor(() => origin.open === 0, 'the end of the connection');
    assert.equal(proxied.upstream.states()[0]?.active, 0);
  });

  test('whose answer comes early gets that answer, and the connection is not used again', async () => {
    const answer = 'HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig';
    const origin = closing(await ScriptedOrigin.start((socket) => socket.write(answer), { ignoreBody: true }));
    const proxied = closing(new Proxied([origin.server()]));
    const exchange = new FakeExchange({ method: 'POST', body: 'beginning', chunked: true });
    exchange.body.hold();
    proxied.handler.handle(exchange.withContext());
    await exchange.finished;
    assert.equal(exchange.status, 413);
    assert.equal(exchange.responseBody.toString(), 'big');
    assert.equal(exchange.body.paused, false, 'the client can send the rest and then read');
    exchange.body.push('the rest');
    exchange.body.finish();
    await waitFor(() => origin.open === 0, 'the end of the connection');
    assert.equal(proxied.upstream.states()[0]?.idle, 0);
  });

  test('refused by an application that closes while the client still sends does not lose the answer', async () => {
    const answer = 'HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno';
    for (let turn = 0; turn < 20; turn++) {
      const origin = closing(
        await ScriptedOrigin.start((socket) => socket.end(answer, () => socket.resetAndDestroy()), {
          ignoreBody: true,
        }),
      );
      const proxied = closing(new Proxied([origin.server()]));
      const exchange = new FakeExchange({ method: 'POST', body: 'beginning', chunked: true });
      exchange.body.hold();
      proxied.handler.handle(exchange.withContext());
      await waitForTurn(() => {
        if (!exchange.body.paused) exchange.body.push(Buffer.alloc(10_000));
        return exchange.responded || exchange.aborted;
      }, 'the answer');
      assert.equal(exchange.status, 403, exchange.context?.error?.message);
    }
  });
});
