import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startProxyWorker } from '../../support/proxied-websockets.ts';
import { RawClient } from '../../support/raw-client.ts';
import { ScriptedOrigin } from '../../support/scripted-origin.ts';
import { waitFor } from '../../support/wait-for.ts';

/* Longer than the ten seconds after which the engine gives up connections that are not watched over. */
const silenceMs = 12_500;

test('event streams and long polls outlive silences that the engine would not, a hundred at once', async () => {
  const origin = await ScriptedOrigin.start((socket, { head }) => {
    if (head.startsWith('GET /poll')) {
      setTimeout(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nlater'), silenceMs);
      return;
    }
    socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: first\n\n');
    setTimeout(() => socket.write('data: second\n\n'), silenceMs);
  });
  const worker = await startProxyWorker([origin.server().name]);
  const clients: RawClient[] = [];
  try {
    const request = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: example.com\r\n\r\n`;
    for (let index = 0; index < 100; index++) {
      const client = await RawClient.connect(worker.port);
      clients.push(client);
      client.send(request(index % 2 === 0 ? '/events' : '/poll'));
    }
    const streams = clients.filter((_client, index) => index % 2 === 0);
    // The first event comes at once, although the stream goes on.
    for (const client of streams) await waitFor(() => client.pending.includes('data: first'), 'the first event');
    for (const [index, client] of clients.entries()) {
      const last = index % 2 === 0 ? 'data: second' : 'later';
      await waitFor(() => client.pending.includes(last), `${last} of client ${index}`, 30_000);
      assert.equal(client.ended, false);
    }
  } finally {
    for (const client of clients) client.destroy();
    await worker.close();
    await origin.close();
  }
});
