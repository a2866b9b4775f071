import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import type { EngineFactory } from '../../../src/listener/engine.ts';
import { createNodeEngine } from '../../../src/listener/node-engine.ts';
import { createUwsEngine } from '../../../src/listener/uws-engine.ts';
import { type InProcessWorker, startInProcessWorker } from '../../support/in-process-worker.ts';
import { SharedCapacity } from '../../support/shared-capacity.ts';
import { waitFor } from '../../support/wait-for.ts';

const engines: Readonly<Record<string, EngineFactory>> = { uws: createUwsEngine, node: createNodeEngine };
const sites = 'sites: [{ routes: [{ path: /, respond: { body: ok } }] }]\n';

async function start(t: TestContext, yaml: string, engine: EngineFactory): Promise<InProcessWorker> {
  const worker = await startInProcessWorker(yaml, undefined, new SharedCapacity(), undefined, engine);
  t.after(() => worker.close());
  return worker;
}

class Client {
  received = '';
  closed = false;
  readonly socket: Socket;

  constructor(t: TestContext, port: number, host = '127.0.0.1', localAddress?: string) {
    this.socket = connect({ port, host, ...(localAddress === undefined ? {} : { localAddress }) });
    this.socket.on('data', (chunk) => (this.received += chunk.toString('latin1')));
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => (this.closed = true));
    t.after(() => this.socket.destroy());
  }

  get(path = '/', more = ''): void {
    this.socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`);
  }

  async answered(): Promise<boolean> {
    this.get();
    const count = this.received.split('HTTP/1.1').length;
    await waitFor(() => this.closed || this.received.split('HTTP/1.1').length > count, 'an answer or the end');
    return !this.closed;
  }
}

for (const [name, engine] of Object.entries(engines)) {
  describe(`connections on the ${name} engine`, () => {
    test('are closed at once beyond the limit, and come in again when others have gone', async (t) => {
      const worker = await start(t, `limits: { connections: 2 }\n${sites}`, engine);
      const clients = [new Client(t, worker.port), new Client(t, worker.port)] as const;
      for (const client of clients) assert.ok(await client.answered());
      for (let count = 0; count < 50; count++) assert.ok(!(await new Client(t, worker.port).answered()));
      for (const client of clients) assert.ok(await client.answered());
      clients[0].socket.destroy();
      await waitFor(() => new Client(t, worker.port).answered(), 'a place');
      assert.equal(worker.log.filter((line) => line.includes('refuses connections')).length, 1);
    });

    test('are counted by address', async (t) => {
      const worker = await start(t, `limits: { connectionsPerAddress: 2 }\n${sites}`, engine);
      const own = [new Client(t, worker.port), new Client(t, worker.port)];
      for (const client of own) assert.ok(await client.answered());
      assert.ok(!(await new Client(t, worker.port).answered()));
      assert.ok(await new Client(t, worker.port, '127.0.0.1', '127.0.0.2').answered());
      own[0]?.socket.destroy();
      await waitFor(() => new Client(t, worker.port).answered(), 'a place');
    });

    test('may follow one another at any pace under a limit by address', async (t) => {
      const worker = await start(t, `limits: { connectionsPerAddress: 8 }\n${sites}`, engine);
      for (let count = 0; count < 60; count++) {
        const client = new Client(t, worker.port);
        assert.ok(await client.answered(), `connection ${count}`);
        client.socket.destroy();
        await waitFor(() => client.closed, 'the end');
      }
    });

    test('are not opened to targets that are too long or heads with too many fields', async (t) => {
      const worker = await start(t, `limits: { uriLength: 1KB, headerCount: 20 }\n${sites}`, engine);
      for (const [path, more, status] of [
        [`/${'a'.repeat(1023)}`, '', 200],
        [`/?${'a'.repeat(1023)}`, '', 414],
        ['/', 'X-A: b\r\n'.repeat(19), 200],
        ['/', 'X-A: b\r\n'.repeat(20), 431],
      ] as const) {
        const client = new Client(t, worker.port);
        client.get(path, more);
        await waitFor(() => client.received !== '', 'an answer');
        assert.match(client.received, new RegExp(`^HTTP/1.1 ${status} `));
      }
    });
  });
}

test('the node engine closes a connection behind its last request', async (t) => {
  const worker = await start(t, `limits: { requestsPerConnection: 3 }\n${sites}`, createNodeEngine);
  const client = new Client(t, worker.port);
  client.get();
  client.get();
  client.get();
  client.get();
  await waitFor(() => client.closed, 'the end');
  assert.equal(client.received.split('HTTP/1.1 200').length - 1, 3);
  assert.equal(client.received.split(/connection: close/i).length - 1, 1);
});
