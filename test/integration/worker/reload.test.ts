import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type InProcessWorker, startInProcessWorker } from '../../support/in-process-worker.ts';
import { RawClient } from '../../support/raw-client.ts';
import { ScriptedOrigin } from '../../support/scripted-origin.ts';
import { waitFor } from '../../support/wait-for.ts';

const get = 'GET / HTTP/1.1\r\nHost: example.com\r\n\r\n';

function respond(body: string): string {
  return `sites: [{ routes: [{ path: /, respond: { body: ${body} } }] }]`;
}

describe('a reload within a worker', () => {
  let worker: InProcessWorker;
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'portico-reload-'));
    worker = await startInProcessWorker(respond('first'), folder);
  });
  after(async () => {
    await worker.close();
    await rm(folder, { recursive: true });
  });

  it('serves the new routes on a connection that was open before', async () => {
    const client = await RawClient.connect(worker.port);
    client.send(get);
    assert.equal((await client.response()).body.toString(), 'first');
    assert.equal((await worker.reload(respond('second')))?.type, 'configured');
    client.send(get);
    assert.equal((await client.response()).body.toString(), 'second');
    client.destroy();
  });

  it('lets a request in flight finish on the routes that it started with', async () => {
    let release = (): void => {};
    const origin = await ScriptedOrigin.start((socket) => {
      release = () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold');
    });
    await worker.reload(`
upstreams: { app: { servers: ["127.0.0.1:${origin.port}"] } }
sites: [{ routes: [{ path: /, proxy: { upstream: app } }] }]`);
    const client = await RawClient.connect(worker.port);
    client.send(get);
    await waitFor(() => origin.requests.length === 1, 'the request');
    assert.equal((await worker.reload(respond('third')))?.type, 'configured');
    release();
    assert.equal((await client.response()).body.toString(), 'old');
    client.send(get);
    assert.equal((await client.response()).body.toString(), 'third');
    client.destroy();
    await origin.close();
  });

  it('is refused whole when an error page has gone, and the former routes go on', async () => {
    const page = join(folder, 'gone.html');
    await writeFile(page, 'x');
    // It vanishes between the check in the primary and the reading in the worker.
    const answer = await worker.reload(
      `sites: [{ errorPages: { 404: ./gone.html }, routes: [{ path: /, respond: { body: fourth } }] }]`,
      () => rmSync(page),
    );
    assert.equal(answer?.type, 'refused');
    const client = await RawClient.connect(worker.port);
    client.send(get);
    assert.equal((await client.response()).body.toString(), 'third');
    client.destroy();
  });
});
