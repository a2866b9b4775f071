import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { metricNames } from '../../../src/metrics/names.ts';
import { FakeExchange } from '../../support/fake-exchange.ts';
import { loopRounds } from '../../support/loop-rounds.ts';
import { Proxied } from '../../support/proxied.ts';
import { ScriptedOrigin } from '../../support/scripted-origin.ts';
import { serverConfig } from '../../support/server-config.ts';
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

/** A server that refuses connections. */
async function deadServer() {
  const origin = await ScriptedOrigin.answering(ok);
  const server = origin.server();
  await origin.close();
  return server;
}

describe('a server that is down', () => {
  test('gives 502 when there is no other, and is not passed over for good', async () => {
    const server = await deadServer();
    const proxied = closing(new Proxied([server]));
    const exchange = await proxied.ask({ method: 'POST', body: 'data' });
    assert.equal(exchange.status, 502);
    assert.equal(exchange.context?.error?.code, 'upstream_unreachable');
    assert.equal(exchange.context?.upstream?.server, server.name);
    const [state] = proxied.upstream.states();
    assert.equal(state?.up, false);
    assert.match(state?.lastError ?? '', /ECONNREFUSED/);
    const port = 'port' in server.address ? server.address.port : 0;
    closing(await ScriptedOrigin.answering(ok, { port }));
    assert.equal((await proxied.ask()).status, 200, 'the only server is tried all the same');
    assert.equal(proxied.upstream.states()[0]?.up, true);
  });

  test('costs no request when there is another, whatever the method', async () => {
    const origin = closing(await ScriptedOrigin.answering(ok));
    const dead = await deadServer();
    const proxied = closing(new Proxied([dead, origin.server()]));
    for (let turn = 0; turn < 6; turn++) {
      const exchange = await proxied.ask({ method: 'POST', body: 'data' });
      assert.equal(exchange.status, 200);
      assert.equal(exchange.context?.upstream?.tries, turn === 0 ? 2 : 1, 'it is passed over after the first time');
    }
    assert.deepEqual(
      origin.requests.map(({ body }) => body.toString()),
      Array.from({ length: 6 }, () => 'data'),
    );
    assert.equal(proxied.recorder.value(metricNames.upstreamRetries, { upstream: 'app' }), 1);
    const labels = { upstream: 'app', server: dead.name, code: 'upstream_unreachable' };
    assert.equal(proxied.recorder.value(metricNames.upstreamFailures, labels), 1);
  });

  test('is tried once when requests are not to wait', async () => {
    const proxied = closing(new Proxied([await deadServer(), await deadServer()]));
    const exchange = await proxied.ask();
    assert.equal(exchange.status, 502);
    assert.equal(exchange.context?.upstream?.tries, 2);
  });

  test('whose socket path is wrong gives 502', async () => {
    const server = serverConfig({ socketPath: '/nonexistent/app.sock' });
    const exchange = await closing(new Proxied([server])).ask();
    assert.equal(exchange.status, 502);
    assert.equal(exchange.context?.error?.code, 'upstream_unreachable');
  });

  test('whose connection does not open in time gives 504', async () => {
    const server = serverConfig({ host: 'app.invalid', port: 80 });
    const never = () => {};
    // The clock of an upstream does not keep a process alive; an open server does.
    closing(await ScriptedOrigin.answering(ok));
    const proxied = closing(new Proxied([server], { timeouts: { connect: 50 } }, {}, never));
    const exchange = await proxied.ask();
    assert.equal(exchange.status, 504);
    assert.equal(exchange.context?.error?.code, 'upstream_connect_timeout');
  });
});

describe('a connection that dies before the response', () => {
  test('under a GET is made up for once by another', async () => {
    const origin = closing(
      await ScriptedOrigin.start((socket) =>
        origin.requests.length === 1 ? socket.resetAndDestroy() : socket.write(ok),
      ),
    );
    const proxied = closing(new Proxied([origin.server()]));
    const exchange = await proxied.ask();
    assert.equal(exchange.status, 200);
    assert.equal(exchange.context?.upstream?.tries, 2);
    const labels = { upstream: 'app', server: origin.server().name, code: 'upstream_reset' };
    assert.equal(proxied.recorder.value(metricNames.upstreamFailures, labels), 1);
  });

  test('under a GET each time gives 502 after as many attempts as are allowed', async () => {
    const origin = closing(await ScriptedOrigin.start((socket) => socket.destroy()));
    const exchange = await closing(new Proxied([origin.server()])).ask();
    assert.equal(exchange.status, 502);
    assert.equal(exchange.context?.error?.code, 'upstream_reset');
    assert.equal(origin.requests.length, 3);
  });

  for (const request of [{ method: 'POST' }, { method: 'PUT', body: 'data' }, { method: 'PATCH', body: 'data' }]) {
    test(`under a ${request.method} ${request.body === undefined ? 'without' : 'with'} a body is not tried again`, async () => {
      const origin = closing(await ScriptedOrigin.start((socket) => socket.destroy()));
      const exchange = await closing(new Proxied([origin.server()])).ask(request);
      assert.equal(exchange.status, 502);
      assert.equal(origin.requests.length, 1);
    });
  }

  test('because it was kept too long is replaced by a fresh one, not by another kept one', async () => {
    const origin = closing(
      await ScriptedOrigin.start((socket, { index }) => (index === 0 ? socket.write(ok) : socket.resetAndDestroy())),
    );
    const proxied = closing(new Proxied([origin.server()]));
    await Promise.all([proxied.ask(), proxied.ask(), proxied.ask()]);
    assert.equal(origin.connections, 3);
    assert.equal(proxied.upstream.states()[0]?.idle, 3);
    assert.equal((await proxied.ask()).status, 200);
    assert.equal(origin.connections, 4);
  });

  test('while idle is noticed before a request is sent over it', async () => {
    const origin = closing(await ScriptedOrigin.answering(ok));
    const proxied = closing(new Proxied([origin.server()]));
    await proxied.ask();
    origin.endConnections();
    await waitFor(() => proxied.upstream.states()[0]?.idle === 0, 'the end of the connection');
    const exchange = await proxied.ask({ method: 'POST', body: 'data' });
    assert.equal(exchange.status, 200);
    assert.equal(exchange.context?.upstream?.tries, 1);
  });
});

describe('a connection that dies within the response', () => {
  const beginnings = ['HTTP/1.1 200 OK\r\nConte', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'];

  test('is tried once more while nothing of it was passed on', async () => {
    for (const bytes of beginnings) {
      const whole = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole';
      let dead = 0;
      const dying = closing(
        await ScriptedOrigin.start((socket) => (dead++ === 0 ? socket.end(bytes) : socket.end(whole))),
      );
      const exchange = await closing(new Proxied([dying.server()])).ask();
      assert.equal(exchange.responseBody.toString(), 'whole');
      assert.equal(exchange.context?.upstream?.tries, 2);
      assert.equal(exchange.context?.upstream?.status, 200);
    }
  });

  test('gives 502 when it happens again, and at once for a request that must not be sent twice', async () => {
    for (const bytes of beginnings) {
      for (const [method, tries] of [
        ['GET', 3],
        ['POST', 1],
      ] as const) {
        const origin = closing(await ScriptedOrigin.start((socket) => socket.end(bytes)));
        const exchange = await closing(new Proxied([origin.server()])).ask({ method });
        assert.equal(exchange.status, 502);
        assert.equal(exchange.context?.error?.code, 'upstream_incomplete');
        assert.equal(origin.requests.length, tries);
      }
    }
  });

  const halves: Record<string, string> = {
    'a length': 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf',
    chunks: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n',
  };
  for (const [framing, bytes] of Object.entries(halves)) {
    for (const end of ['end', 'resetAndDestroy'] as const) {
      test(`with ${framing} by ${end} cuts the client off`, async () => {
        let die = (): void => {};
        const origin = closing(
          await ScriptedOrigin.start((socket) => {
            socket.write(bytes);
            die = () => void socket[end]();
          }),
        );
        const proxied = closing(new Proxied([origin.server()]));
        const exchange = proxied.begin();
        await waitFor(() => exchange.bytesSent > 0, 'the first half');
        die();
        await exchange.finished;
        assert.equal(exchange.responseBody.toString(), 'half');
        assert.equal(exchange.aborted, true);
        assert.equal(exchange.complete, false);
        assert.equal(exchange.context?.error?.code, 'upstream_incomplete');
        const labels = { upstream: 'app', server: origin.server().name, code: 'upstream_incomplete' };
        assert.equal(proxied.recorder.value(metricNames.upstreamFailures, labels), 1);
        assert.equal(proxied.upstream.states()[0]?.active, 0);
      });
    }
  }

  test('without framing by a reset cuts the client off', async () => {
    let die = (): void => {};
    const origin = closing(
      await ScriptedOrigin.start((socket) => {
        socket.write('HTTP/1.1 200 OK\r\n\r\nhalf');
        die = () => void socket.resetAndDestroy();
      }),
    );
    const exchange = closing(new Proxied([origin.server()])).begin();
    await waitFor(() => exchange.bytesSent > 0, 'the first half');
    die();
    await exchange.finished;
    assert.equal(exchange.aborted, true);
  });
});

describe('a slow server', () => {
  test('that sends no head in time gives 504 and loses the connection', async () => {
    const origin = closing(await ScriptedOrigin.start((socket) => socket.write('HTTP/1.1 100 Continue\r\n\r\n')));
    const proxied = closing(new Proxied([origin.server()], { timeouts: { response: 60 } }));
    const exchange = await proxied.ask();
    assert.equal(exchange.status, 504);
    assert.equal(exchange.context?.error?.code, 'upstream_timeout');
    assert.equal(origin.requests.length, 1);
    await waitFor(() => origin.open === 0, 'the end of the connection');
  });

  test('that stops within the body has the client cut off', async () => {
    const origin = closing(
      await ScriptedOrigin.start((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf')),
    );
    const exchange = await closing(new Proxied([origin.server()], { timeouts: { read: 60 } })).ask();
    assert.equal(exchange.aborted, true);
    assert.equal(exchange.context?.error?.code, 'upstream_timeout');
  });

  test('that goes on sending now and then is waited for', async () => {
    const origin = closing(
      await ScriptedOrigin.start(async (socket) => {
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
        const begin = performance.now();
        while (performance.now() - begin < 600) {
          socket.write('1\r\nx\r\n');
          await loopRounds();
        }
        socket.write('0\r\n\r\n');
      }),
    );
    const exchange = await closing(new Proxied([origin.server()], { timeouts: { read: 200, response: 200 } })).ask();
    assert.equal(exchange.complete, true);
  });

  test('is not blamed for a client that takes nothing', async () => {
    const body = Buffer.alloc(100_000, 'x');
    const origin = closing(
      await ScriptedOrigin.start((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`);
        socket.write(body);
      }),
    );
    const timeouts = { read: 40 };
    const proxied = closing(new Proxied([origin.server()], { timeouts }));
    const exchange = proxied.begin();
    exchange.stall();
    await waitFor(() => exchange.stalled, 'a client that takes nothing');
    const stopping = closing(
      await ScriptedOrigin.start((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf')),
    );
    const blamed = await closing(new Proxied([stopping.server()], { timeouts })).ask();
    assert.equal(blamed.context?.error?.code, 'upstream_timeout', 'the time is up');
    exchange.drain();
    await exchange.finished;
    assert.equal(exchange.complete, true);
    assert.equal(exchange.responseBody.equals(body), true);
  });

  test('that takes no byte of the request gives 504', async () => {
    const origin = closing(
      await ScriptedOrigin.start(() => {}, {
        onConnection: (socket) => {
          socket.pause();
          return true;
        },
      }),
    );
    const proxied = closing(new Proxied([origin.server()], { timeouts: { write: 100 } }));
    const exchange = await proxied.ask({ method: 'POST', body: Buffer.alloc(20_000_000) });
    assert.equal(exchange.status, 504);
    assert.equal(exchange.context?.error?.code, 'upstream_timeout');
  });
});

describe('a client that goes away', () => {
  test('before the response ends the upstream request, and is counted', async () => {
    const origin = closing(await ScriptedOrigin.start(() => {}));
    const proxied = closing(new Proxied([origin.server()]));
    const exchange = proxied.begin();
    await waitFor(() => origin.requests.length > 0, 'the request');
    exchange.disconnect();
    await waitFor(() => origin.open === 0, 'the end of the connection');
    const labels = { upstream: 'app', server: origin.server().name, code: 'client_gone' };
    assert.equal(proxied.recorder.value(metricNames.upstreamFailures, labels), 1);
    assert.equal(proxied.upstream.states()[0]?.active, 0);
    assert.equal(exchange.context?.error, undefined);
  });

  test('while the connection opens, or within the response, leaves nothing behind', async () => {
    const origin = closing(
      await ScriptedOrigin.start((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf')),
    );
    const proxied = closing(new Proxied([origin.server()]));
    proxied.begin().disconnect();
    const exchange = proxied.begin();
    await waitFor(() => exchange.bytesSent > 0, 'the beginning of the response');
    exchange.disconnect();
    await waitFor(() => origin.open === 0, 'the end of the connection');
    assert.equal(proxied.upstream.states()[0]?.active, 0);
    assert.equal(proxied.upstream.servers[0]?.open, 0);
  });

  test('while it is slow to take the response leaves nothing behind', async () => {
    const origin = closing(
      await ScriptedOrigin.start((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${10 ** 7}\r\n\r\n`);
        socket.write(Buffer.alloc(10 ** 7));
      }),
    );
    const proxied = closing(new Proxied([origin.server()]));
    const exchange = proxied.begin();
    exchange.stall(100_000);
    await waitFor(() => exchange.stalled, 'a client that takes nothing');
    exchange.disconnect();
    await waitFor(() => origin.open === 0, 'the end of the connection');
    assert.equal(proxied.upstream.servers[0]?.open, 0);
  });
});

describe('a defect behind the response', () => {
  test('costs the request, not the worker', async () => {
    const origin = closing(await ScriptedOrigin.answering(ok));
    const proxied = closing(new Proxied([origin.server()]));
    const exchange = new FakeExchange();
    const { respond } = exchange;
    let calls = 0;
    exchange.respond = (head, body) => {
      if (calls++ === 0) throw new Error('a defect');
      respond.call(exchange, head, body);
    };
    proxied.handler.handle(exchange.withContext());
    await exchange.finished;
    assert.equal(exchange.status, 500);
    assert.equal(exchange.context?.error?.code, 'internal');
    assert.equal(proxied.upstream.states()[0]?.active, 0);
    assert.equal((await proxied.ask()).status, 200);
  });
});
