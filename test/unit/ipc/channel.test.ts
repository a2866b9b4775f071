import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { Channel, type ChannelEndpoint } from '../../../src/ipc/channel.ts';

type Ping = { readonly type: 'ping'; readonly n: number };

class FakeEndpoint extends EventEmitter implements ChannelEndpoint {
  connected = true;
  readonly sent: unknown[] = [];
  failure: Error | undefined;
  throws: Error | undefined;

  send(message: unknown, _handle: unknown, callback: (error: Error | null) => void): boolean {
    if (this.throws !== undefined) throw this.throws;
    this.sent.push(message);
    callback(this.failure ?? null);
    return true;
  }
}

function makeChannel() {
  const endpoint = new FakeEndpoint();
  const lost: string[] = [];
  const channel = new Channel<Ping, Ping>(endpoint, (type, error) => lost.push(`${type}: ${error.message}`));
  return { endpoint, lost, channel };
}

test('a message goes through to an open channel', () => {
  const { endpoint, lost, channel } = makeChannel();
  assert.equal(channel.send({ type: 'ping', n: 1 }), true);
  assert.deepEqual(endpoint.sent, [{ type: 'ping', n: 1 }]);
  assert.deepEqual(lost, []);
});

test('a closed channel takes nothing and says so', () => {
  const { endpoint, channel } = makeChannel();
  endpoint.connected = false;
  assert.equal(channel.send({ type: 'ping', n: 1 }), false);
  assert.deepEqual(endpoint.sent, []);
});

test('a broken pipe is reported, not thrown', () => {
  const { endpoint, lost, channel } = makeChannel();
  endpoint.failure = new Error('write EPIPE');
  assert.equal(channel.send({ type: 'ping', n: 1 }), true);
  assert.deepEqual(lost, ['ping: write EPIPE']);
});

test('a channel that closes within the call is reported, not thrown', () => {
  const { endpoint, lost, channel } = makeChannel();
  endpoint.throws = new Error('Channel closed');
  assert.equal(channel.send({ type: 'ping', n: 1 }), false);
  assert.deepEqual(lost, ['ping: Channel closed']);
});

test('only messages of the right form reach the listener', () => {
  const { endpoint, channel } = makeChannel();
  const received: Ping[] = [];
  channel.receive((message) => received.push(message));
  for (const message of ['text', 7, null, { cmd: 'NODE_X' }, { type: 3 }, { type: 'ping', n: 2 }]) {
    endpoint.emit('message', message);
  }
  assert.deepEqual(received, [{ type: 'ping', n: 2 }]);
});
