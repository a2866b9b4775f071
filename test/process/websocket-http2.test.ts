import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { Chromium, chromiumMissing } from '../support/chromium.ts';
import { connectHttp2, Http2WebSocket } from '../support/http2-websocket.ts';
import { RunningPortico } from '../support/running-portico.ts';
import { TestCertificates } from '../support/test-certificates.ts';
import { waitFor } from '../support/wait-for.ts';
import { WebSocketOrigin } from '../support/websocket-origin.ts';

const certificates = new TestCertificates();
after(() => certificates.remove());

/** A page that says something over a WebSocket and closes it when it has the answer. */
const page = `<!doctype html><script>
  const socket = new WebSocket('wss://' + location.host + '/ws/room', ['chat']);
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => { socket.send('hello from a page'); socket.send(new Uint8Array(300000)); };
  let seen = 0;
  socket.onmessage = ({ data }) => { seen += data.byteLength ?? data.length; if (seen === 300017) socket.close(4000, 'enough'); };
</script>`;

async function start(t: TestContext): Promise<{ portico: RunningPortico; origin: WebSocketOrigin }> {
  const origin = await WebSocketOrigin.start();
  t.after(() => origin.close());
  const site = certificates.make('site', ['localhost']);
  const yaml = [
    'accessLog: { path: access.log, format: json }',
    'upstreams:',
    `  app: { servers: [${JSON.stringify(origin.url)}] }`,
    'sites:',
    '  - routes:',
    '      - path: /ws/',
    '        proxy: { upstream: app }',
    '      - path: /',
    `        respond: { body: ${JSON.stringify(page)}, contentType: text/html }`,
    '',
  ].join('\n');
  const tls = { certificates: [{ certificate: site.certificate, key: site.key }] };
  return { portico: await RunningPortico.start(t, yaml, { tls }), origin };
}

async function logged(portico: RunningPortico): Promise<Record<string, unknown>> {
  let line: Record<string, unknown> | undefined;
  await waitFor(async () => {
    const log = await readFile(join(portico.folder, 'access.log'), 'utf8');
    const found = log.split('\n').find((text) => text.includes('"/ws/room"'));
    line = found === undefined ? undefined : (JSON.parse(found) as Record<string, unknown>);
    return line !== undefined;
  }, 'the line of the access log');
  return line as Record<string, unknown>;
}

test('a browser speaks WebSocket over the HTTP/2 connection that it has', {
  skip: chromiumMissing() ?? false,
}, async (t) => {
  const { portico, origin } = await start(t);
  const browser = await Chromium.show(`https://localhost:${portico.port}/`, ['--ignore-certificate-errors']);
  t.after(() => browser.close());
  await waitFor(() => origin.closes.length === 1, 'the page to have said everything');
  assert.deepEqual(origin.closes, [{ code: 4000, reason: 'enough' }]);
  assert.equal(origin.requests[0]?.headers['sec-websocket-protocol'], 'chat');
  const line = await logged(portico);
  assert.equal(line['protocol'], 'HTTP/2.0');
  assert.equal(line['status'], 200);
  assert.deepEqual(
    [line['ws_messages_in'], line['ws_messages_out'], line['ws_bytes_in'], line['bytes']],
    [2, 2, 300_017, 300_017],
  );
  assert.deepEqual([line['ws_closed_by'], line['ws_close_code']], ['client', 4000]);
  const counted = async (): Promise<boolean> =>
    (await portico.metric('portico_websocket_closes_total', 'by="client"')) === 1;
  await waitFor(counted, 'the end to be counted');
  assert.equal(await portico.metric('portico_websockets_open'), 0);
  assert.equal(await portico.metric('portico_websocket_messages_total'), 4);
});

test('SIGTERM closes WebSockets over HTTP/2 with 1001, to both sides, and ends soon', async (t) => {
  const { portico, origin } = await start(t);
  const clients = await Promise.all([1, 2, 3].map(() => connectHttp2(portico.port)));
  t.after(() => {
    for (const client of clients) client.destroy();
  });
  const sockets = await Promise.all(clients.flatMap((client) => [1, 2].map(() => Http2WebSocket.open(client, '/ws/'))));
  for (const socket of sockets) assert.equal(await socket.ask('here'), 'here');
  portico.process.signal('SIGTERM');
  for (const socket of sockets) assert.equal(await socket.closeCode(), 1001);
  assert.equal(await portico.process.ended(), 0);
  await waitFor(() => origin.closes.length === 6, 'the ends at the application');
  assert.ok(origin.closes.every(({ code }) => code === 1001));
});
