import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import zlib from 'node:zlib';
import { decodedGet } from '../../support/decoded-get.ts';
import { type InProcessWorker, startInProcessWorker } from '../../support/in-process-worker.ts';
import { standstill } from '../../support/loop-rounds.ts';
import { pageText } from '../../support/page-text.ts';
import { waitFor } from '../../support/wait-for.ts';

const html = { 'Content-Type': 'text/html' } as const;
const page = pageText(60_000);

describe('a response that is compressed while it comes', () => {
  let folder: string;
  let origin: Server;
  let worker: InProcessWorker;
  /** The response that the test dictates. */
  let open: ServerResponse | undefined;
  /** Bytes that the application could write although nobody reads. */
  let written = 0;
  let closed = 0;

  const scripts: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => void>> = {
    '/open': (_, response) => {
      open = response.writeHead(200, html);
      response.flushHeaders();
      response.on('close', () => closed++);
    },
    '/events': (_, response) => {
      open = response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.flushHeaders();
    },
    '/endless': (_, response) => {
      response.writeHead(200, html);
      response.on('close', () => closed++);
      const more = (): void => {
        const piece = randomBytes(16_384).toString('hex');
        written += piece.length;
        if (response.destroyed) return;
        if (response.write(piece)) setImmediate(more);
        else response.once('drain', more);
      };
      more();
    },
    '/accel': (_, response) =>
      response.writeHead(200, { 'X-Accel-Redirect': '/internal/page.html', ETag: '"app"' }).end(),
    '/page': (_, response) => response.writeHead(200, html).end(page),
  };

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'portico-streams-'));
    writeFileSync(join(folder, 'page.html'), page);
    origin = createServer((incoming, response) => scripts[incoming.url ?? '']?.(incoming, response));
    await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
    const { port } = origin.address() as AddressInfo;
    worker =
      await startInProcessWorker(`upstreams: { app: { servers: ["127.0.0.1:${port}"], directives: { redirect: true } } }
sites:
  - routes:
      - { path: /, proxy: { upstream: app, buffering: false }, compress: { types: ["text/*", text/event-stream] } }
      - { path: /internal/, internal: true, static: { root: ${folder} } }
      - { path: /fixed, respond: { body: "${'word '.repeat(1000)}" }, compress: true }
      - { path: /closed, proxy: { upstream: app, stripPrefix: true }, compress: true }
`);
  });

  after(async () => {
    await worker.close();
    origin.closeAllConnections();
    await new Promise((resolve) => origin.close(resolve));
    rmSync(folder, { recursive: true });
  });

  /** A client that decodes as it goes. */
  const decoding = (path: string) => {
    const decoder = zlib.createGunzip({ finishFlush: zlib.constants.Z_SYNC_FLUSH });
    let text = '';
    decoder.on('data', (chunk: Buffer) => (text += chunk.toString()));
    decoder.on('error', () => {});
    const outgoing = request({ port: worker.port, host: '127.0.0.1', path, headers: { 'accept-encoding': 'gzip' } });
    let fields: IncomingMessage['headers'] = {};
    outgoing.on('response', (response) => {
      fields = response.headers;
      response.pipe(decoder);
    });
    outgoing.on('error', () => {});
    outgoing.end();
    return { text: () => text, fields: () => fields, destroy: () => outgoing.destroy() };
  };

  test('gives out what came before a pause', async () => {
    const client = decoding('/open');
    await waitFor(() => open !== undefined, 'the request');
    await waitFor(() => client.fields()['content-encoding'] === 'gzip', 'the head, before there is a body');
    for (const part of ['first', 'second', page, 'last']) {
      open?.write(part);
      await waitFor(() => client.text().endsWith(part), `the part ${part.slice(0, 10)}`);
    }
    open?.end();
    await waitFor(() => closed === 1, 'the end');
    open = undefined;
  });

  test('gives out each event', async () => {
    const client = decoding('/events');
    await waitFor(() => open !== undefined, 'the request');
    for (let event = 0; event < 5; event++) {
      open?.write(`data: ${event}\n\n`);
      await waitFor(() => client.text().includes(`data: ${event}\n\n`), 'an event');
    }
    open?.end();
    open = undefined;
  });

  test('makes the application wait for a client that does not read, and lets go of it when it leaves', async () => {
    closed = 0;
    const socket = connect(worker.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.pause();
    socket.write('GET /endless HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n');
    await standstill(() => written, 'the application to be stopped');
    // Sockets on both ways hold some megabytes; without backpressure it would never stop.
    assert.ok(written < 40_000_000, `${written} bytes`);
    socket.resetAndDestroy();
    await waitFor(() => closed === 1, 'the application to be told');
  });

  test('lets go of the application when the client leaves in the middle', async () => {
    closed = 0;
    const client = decoding('/open');
    await waitFor(() => open !== undefined, 'the request');
    open?.write(page);
    await waitFor(() => client.text().length > 0, 'the beginning');
    client.destroy();
    await waitFor(() => closed === 1, 'the application to be told');
    open = undefined;
  });

  test('compresses the file that the application names', async () => {
    const get = (headers: Readonly<Record<string, string>>) =>
      decodedGet(worker.port, { path: '/accel', headers: { 'accept-encoding': 'gzip', ...headers } });
    const answer = await get({});
    assert.equal(answer.headers['content-encoding'], 'gzip');
    assert.equal(answer.body.toString(), page);
    const etag = answer.headers['etag'] ?? '';
    assert.match(etag, /-gzip"$/);
    const again = await get({ 'if-none-match': etag });
    assert.equal(again.status, 304);
    assert.equal(again.headers['etag'], etag);
    assert.equal((await get({ range: 'bytes=0-9' })).body.toString(), page.slice(0, 10));
  });

  test('compresses what the configuration answers', async () => {
    const answer = await decodedGet(worker.port, { path: '/fixed', headers: { 'accept-encoding': 'br' } });
    assert.equal(answer.headers['content-encoding'], 'br');
    assert.equal(answer.body.length, 5000);
  });
});
