import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ListenAddress } from '../../../src/config/config.ts';
import type { Engine } from '../../../src/listener/engine.ts';
import { Listeners } from '../../../src/worker/listeners.ts';
import { Privileges } from '../../../src/worker/privileges.ts';
import { TlsListeners } from '../../../src/worker/tls-listeners.ts';
import { FakeRecorder } from '../../support/fake-recorder.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';

function address(port: number): ListenAddress {
  return { address: `127.0.0.1:${port}`, host: '127.0.0.1', port };
}

/** Opens every address but those with port 13. */
class FakeEngine implements Pick<Engine, 'listen' | 'unlisten'> {
  readonly open = new Set<string>();
  readonly closed: string[] = [];

  async listen({ address: name, port }: ListenAddress): Promise<number> {
    if (port === 13) throw new Error('cannot listen on 127.0.0.1:13');
    this.open.add(name);
    return port;
  }

  unlisten({ address: name }: ListenAddress): void {
    this.open.delete(name);
    this.closed.push(name);
  }
}

function made() {
  const engine = new FakeEngine();
  return {
    engine,
    listeners: new Listeners(
      engine as unknown as Engine,
      new TlsListeners(new RecordingLogger(), new FakeRecorder()),
      new Privileges(),
    ),
  };
}

test('old addresses close only when the new configuration is in force', async () => {
  const { engine, listeners } = made();
  await (await listeners.openNew([address(1), address(2)]))();
  const closeOld = await listeners.openNew([address(2), address(3)]);
  assert.deepEqual([...engine.open], ['127.0.0.1:1', '127.0.0.1:2', '127.0.0.1:3']);
  await closeOld();
  assert.deepEqual([...engine.open], ['127.0.0.1:2', '127.0.0.1:3']);
  assert.deepEqual(listeners.addresses, [address(2), address(3)]);
});

test('when one address cannot be opened the others of that call are closed again and the former ones stay', async () => {
  const { engine, listeners } = made();
  await (await listeners.openNew([address(1)]))();
  await assert.rejects(listeners.openNew([address(1), address(2), address(13)]), /cannot listen/);
  assert.deepEqual([...engine.open], ['127.0.0.1:1']);
  assert.deepEqual(listeners.addresses, [address(1)]);
});

test('closing was rehearsed before it is done in earnest, so that it takes no time then', async () => {
  const { engine, listeners } = made();
  await (await listeners.openNew([address(1)]))();
  await listeners.close();
  assert.deepEqual(engine.closed, ['rehearsal', '127.0.0.1:1']);
});

test('all addresses are closed at the end', async () => {
  const { engine, listeners } = made();
  await (await listeners.openNew([address(1), address(2)]))();
  await listeners.close();
  assert.deepEqual([...engine.open], []);
  assert.deepEqual(listeners.addresses, []);
});
