import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { BrowserSession } from '../support/browser-session.ts';
import { ChannelsServer, type ChannelsServerName, channelsMissing, prepareChannels } from '../support/channels.ts';
import { Chromium, chromiumMissing } from '../support/chromium.ts';
import { moveConfiguration } from '../support/example-copy.ts';
import { freePort } from '../support/free-port.ts';
import { PorticoProcess } from '../support/portico-process.ts';
import { WebSocketClient } from '../support/websocket-client.ts';

/* examples/channels as its README says, with a WebSocket client and with a browser. */

const skip = channelsMissing() ?? false;

for (const name of ['daphne', 'uvicorn'] as const satisfies readonly ChannelsServerName[]) {
  describe(`Django Channels under ${name}`, { skip }, () => {
    let folder: string;
    let server: ChannelsServer;
    let portico: PorticoProcess;
    let port: number;
    const clients: WebSocketClient[] = [];

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'portico-channels-'));
      await prepareChannels(folder);
      const [appPort, adminPort] = [await freePort(), await freePort()];
      port = await freePort();
      await moveConfiguration(join(folder, 'portico.yaml'), {
        '0.0.0.0:8080': `127.0.0.1:${port}`,
        '127.0.0.1:9180': `127.0.0.1:${adminPort}`,
        'http://127.0.0.1:8000': `http://127.0.0.1:${appPort}`,
      });
      server = await ChannelsServer.start(folder, name, appPort);
      portico = await PorticoProcess.serve(join(folder, 'portico.yaml'), adminPort);
    });

    after(async () => {
      for (const client of clients) client.terminate();
      await portico?.stop();
      await server?.stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    });

    /** Somebody who has seen the page and joins a room. */
    async function enter(who: string, room = 'lobby', protocols = ['chat.v1'], origin = `http://127.0.0.1:${port}`) {
      const session = new BrowserSession(`http://127.0.0.1:${port}`);
      assert.equal((await session.get(`/?name=${who}`)).status, 200);
      const headers = { Cookie: session.cookieHeader(), Origin: origin };
      const client = await WebSocketClient.open(port, `/ws/${room}/`, protocols, { headers });
      clients.push(client);
      return client;
    }

    async function next(client: WebSocketClient): Promise<unknown> {
      return JSON.parse((await client.next()).data.toString());
    }

    test('everybody in a room hears what anybody says, under the name of the session', async () => {
      const [ada, grace] = [await enter('Ada'), await enter('Grace')];
      assert.equal(ada.socket.protocol, 'chat.v1');
      for (const text of ['hello', 'grün 🙂', 'x'.repeat(30_000)]) {
        ada.socket.send(JSON.stringify({ text }));
        assert.deepEqual(await next(ada), { who: 'Ada', text });
        assert.deepEqual(await next(grace), { who: 'Ada', text });
      }
      ada.socket.send(Buffer.from([0, 255, 128]));
      assert.deepEqual(await ada.next(), { data: Buffer.from([0, 255, 128]), binary: true });
      ada.socket.close(4321, 'bye');
      assert.deepEqual(await next(grace), { who: 'Ada', left: 4321 });
      grace.terminate();
    });

    test('a consumer that closes before it accepts is 403 for the client', async () => {
      await assert.rejects(enter('Ada', 'locked'), /Unexpected server response: 403/);
    });

    test('a page of another origin is refused by Channels', async () => {
      await assert.rejects(
        enter('Ada', 'lobby', ['chat.v1'], 'http://evil.example'),
        /Unexpected server response: 403/,
      );
    });

    test('close codes of the application reach the client', async () => {
      const ada = await enter('Ada', 'codes');
      ada.socket.send('no JSON');
      assert.equal((await ada.whenClosed()).code, 4400);
    });

    test('a message above the bound of the route is 1009', async () => {
      const ada = await enter('Ada', 'large');
      ada.socket.send(JSON.stringify({ text: 'x'.repeat(65 * 1024) }));
      assert.equal((await ada.whenClosed()).code, 1009);
    });

    test('a browser takes part', { skip: chromiumMissing() ?? false }, async () => {
      const ada = await enter('Ada');
      const browser = await Chromium.show(`http://127.0.0.1:${port}/?name=Browser&say=hello%20from%20Chromium`);
      try {
        assert.deepEqual(await next(ada), { who: 'Browser', text: 'hello from Chromium' });
        ada.socket.send(JSON.stringify({ text: 'good night' }));
        assert.deepEqual(await next(ada), { who: 'Ada', text: 'good night' });
        // The page closes its end, with a code of its own.
        assert.deepEqual(await next(ada), { who: 'Browser', left: 4000 });
      } finally {
        await browser.close();
      }
    });

    test('an application that is killed is 1011 for its clients', async () => {
      const ada = await enter('Ada');
      await server.stop('SIGKILL');
      assert.equal((await ada.whenClosed()).code, 1011);
    });
  });
}
