import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { metricNames } from '../../../src/metrics/names.ts';
import { loopRounds } from '../../support/loop-rounds.ts';
import { Proxied } from '../../support/proxied.ts';
import { type OriginScript, ScriptedOrigin } from '../../support/scripted-origin.ts';
import { waitFor } from '../../support/wait-for.ts';

const ok = 'HTTP/1.1 200 OK\r\n';
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function proxyTo(script: string | OriginScript, route: ConstructorParameters<typeof Proxied>[2] = {}) {
  const origin =
    typeof script === 'string' ? await ScriptedOrigin.answering(script) : await ScriptedOrigin.start(script);
  const proxied = new Proxied([origin.server()], {}, route);
  closers.push(
    () => proxied.close(),
    () => origin.close(),
  );
  return { origin, proxied };
}

describe('a proxied response', () => {
  test('with a length passes on and leaves the connection for the next request', async () => {
    const { origin, proxied } = await proxyTo(`${ok}Server: gunicorn\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello`);
    for (let turn = 0; turn < 3; turn++) {
      const exchange = await proxied.ask();
      assert.equal(exchange.status, 200);
      assert.equal(exchange.responseBody.toString(), 'hello');
      assert.equal(exchange.length, 5);
      assert.equal(exchange.responseFields.get('server'), 'gunicorn');
      assert.equal(exchange.responseFields.get('x-a'), 'b');
      assert.equal(exchange.context?.upstream?.status, 200);
      assert.ok((exchange.context?.upstream?.totalMs ?? -1) >= 0);
    }
    assert.equal(origin.connections, 1);
    assert.equal(proxied.upstream.states()[0]?.active, 0);
    assert.equal(proxied.upstream.states()[0]?.idle, 1);
    const labels = { upstream: 'app', server: origin.server().name };
    assert.equal(proxied.recorder.value(metricNames.upstreamRequests, { ...labels, status: '200' }), 3);
    assert.equal(proxied.recorder.value(metricNames.upstreamConnect, { upstream: 'app' }), 1);
    assert.equal(proxied.recorder.value(metricNames.upstreamFirstByte, { upstream: 'app' }), 3);
    assert.equal(proxied.recorder.value(metricNames.upstreamRequestDuration, labels), 3);
  });

  test('in chunks that are all there gets a length', async () => {
    const { origin, proxied } = await proxyTo(
      `${ok}Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\nX: y\r\n\r\n`,
    );
    const exchange = await proxied.ask();
    assert.equal(exchange.length, 5);
    assert.equal(exchange.responseBody.toString(), 'hello');
    await proxied.ask();
    assert.equal(origin.connections, 1);
  });

  test('in chunks that come one by one is passed on as they come', async () => {
    const { proxied } = await proxyTo(async (socket) => {
      socket.write(`${ok}Transfer-Encoding: chunked\r\n\r\n`);
      await loopRounds();
      socket.write('2\r\nhe');
      await loopRounds();
      socket.write('\r\n3\r\nllo\r\n');
      await loopRounds();
      socket.write('0\r\n\r\n');
    });
    const exchange = await proxied.ask();
    assert.equal(exchange.responseBody.toString(), 'hello');
    assert.equal(exchange.length, undefined);
    assert.deepEqual(exchange.chunkSizes, [2, 3]);
  });

  test('without framing ends with the connection', async () => {
    const { origin, proxied } = await proxyTo((socket) => {
      socket.write(`${ok}\r\nhel`);
      socket.end('lo');
    });
    const exchange = await proxied.ask();
    assert.equal(exchange.responseBody.toString(), 'hello');
    assert.equal(exchange.complete, true);
    assert.equal((await proxied.ask()).responseBody.toString(), 'hello');
    assert.equal(origin.connections, 2);
  });

  test('whose head comes long before its body keeps its head', async () => {
    const { proxied } = await proxyTo((socket, { index }) => {
      socket.write(`${ok}X-Turn: ${index}\r\nContent-Length: 5\r\n\r\n`);
      void loopRounds().then(() => socket.write('hello'));
    });
    // The second response goes through the same memory while the first one waits.
    const exchanges = [proxied.begin(), proxied.begin()];
    for (const exchange of exchanges) {
      await exchange.finished;
      assert.equal(exchange.responseBody.toString(), 'hello');
      assert.match(exchange.responseBlock, /^200 OK\r\nX-Turn: 0\r\nX-Request-Id: \w+$/);
    }
  });

  test('to HEAD has the length and no body', async () => {
    const { origin, proxied } = await proxyTo(`${ok}Content-Length: 5\r\n\r\n`);
    const exchange = await proxied.ask({ method: 'HEAD' });
    assert.equal(exchange.length, 5);
    assert.equal(exchange.responseBody.length, 0);
    await proxied.ask({ method: 'HEAD' });
    assert.equal(origin.connections, 1);
  });

  for (const status of ['204 No Content', '304 Not Modified']) {
    test(`with status ${status} has no body`, async () => {
      const { origin, proxied } = await proxyTo(`HTTP/1.1 ${status}\r\nETag: "a"\r\n\r\n`);
      const exchange = await proxied.ask();
      assert.equal(exchange.complete, true);
      assert.equal(exchange.responseFields.get('etag'), '"a"');
      await proxied.ask();
      assert.equal(origin.connections, 1);
    });
  }

  test('that is empty passes on', async () => {
    const { proxied } = await proxyTo(`${ok}Content-Length: 0\r\n\r\n`);
    const exchange = await proxied.ask();
    assert.equal(exchange.complete, true);
    assert.equal(exchange.length, 0);
  });

  test('comes without the interim responses before it', async () => {
    const { proxied } = await proxyTo(
      `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n${ok}Content-Length: 2\r\n\r\nhi`,
    );
    const exchange = await proxied.ask();
    assert.equal(exchange.status, 200);
    assert.equal(exchange.responseFields.has('link'), false);
  });

  test('gets the fields of the route, and loses those that the route removes', async () => {
    const { proxied } = await proxyTo(`${ok}X-Powered-By: x\r\nX-Frame-Options: ALLOW\r\nContent-Length: 0\r\n\r\n`, {
      responseFields: Buffer.from('\r\nX-Frame-Options: DENY'),
      removedResponseFields: new Set(['x-powered-by', 'x-frame-options']),
    });
    const exchange = await proxied.ask();
    assert.equal(exchange.responseFields.has('x-powered-by'), false);
    assert.deepEqual(exchange.responseFields.all('x-frame-options'), ['DENY']);
  });

  test('gets an X-Request-Id, the one sent upstream, unless the application sent one', async () => {
    const { origin, proxied } = await proxyTo((socket, { index }) => {
      socket.write(`${ok}${index === 1 ? 'x-request-id: own\r\n' : ''}Content-Length: 0\r\n\r\n`);
    });
    const first = await proxied.ask();
    const [sent] = /x-request-id: (\w+)/i.exec(origin.requests[0]?.head ?? '')?.slice(1) ?? [];
    assert.deepEqual(first.responseFields.all('x-request-id'), [sent]);
    assert.deepEqual((await proxied.ask()).responseFields.all('x-request-id'), ['own']);
  });

  test('with bytes behind it passes on and costs the connection', async () => {
    const { origin, proxied } = await proxyTo(`${ok}Content-Length: 2\r\n\r\nhi${ok}Content-Length: 4\r\n\r\nevil`);
    assert.equal((await proxied.ask()).responseBody.toString(), 'hi');
    assert.equal((await proxied.ask()).responseBody.toString(), 'hi');
    assert.equal(origin.connections, 2);
  });

  test('that comes on an idle connection, unasked, is given to nobody', async () => {
    let unasked = (): void => {};
    const { origin, proxied } = await proxyTo((socket) => {
      socket.write(`${ok}Content-Length: 2\r\n\r\nhi`);
      unasked = () => void socket.write(`${ok}Content-Length: 4\r\n\r\nevil`);
    });
    await proxied.ask();
    assert.equal(proxied.upstream.states()[0]?.idle, 1);
    unasked();
    await waitFor(() => proxied.upstream.states()[0]?.idle === 0, 'the end of the connection');
    assert.equal((await proxied.ask()).responseBody.toString(), 'hi');
    assert.equal(origin.connections, 2);
  });

  const broken: Record<string, string> = {
    'is no HTTP': 'SSH-2.0-OpenSSH_9.2\r\n',
    'has both length and chunks': `${ok}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    'has two lengths': `${ok}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`,
    'switches protocols unasked':
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n',
    'has a larger head than allowed': `${ok}${'X-A: b\r\n'.repeat(20_000)}`,
    'has a broken first chunk': `${ok}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`,
  };
  for (const [what, bytes] of Object.entries(broken)) {
    test(`that ${what} becomes a 502`, async () => {
      const { origin, proxied } = await proxyTo(bytes);
      const exchange = await proxied.ask();
      assert.equal(exchange.status, 502);
      assert.equal(exchange.context?.error?.code, 'upstream_protocol');
      assert.equal(origin.requests.length, 1, 'it is not asked for again');
      const labels = { upstream: 'app', server: origin.server().name, code: 'upstream_protocol' };
      assert.equal(proxied.recorder.value(metricNames.upstreamFailures, labels), 1);
      assert.equal(proxied.upstream.states()[0]?.active, 0);
    });
  }

  test('that breaks its framing after it has begun is cut, never ended', async () => {
    const { proxied } = await proxyTo((socket) => {
      socket.write(`${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`);
      void loopRounds().then(() => socket.write('garbage'));
    });
    const exchange = await proxied.ask();
    assert.equal(exchange.aborted, true);
    assert.equal(exchange.complete, false);
    assert.equal(exchange.context?.error?.code, 'upstream_protocol');
  });
});
