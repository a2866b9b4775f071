import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ListenAddress } from '../../../src/config/config.ts';
import { AdminEndpoint } from '../../../src/primary/admin-endpoint.ts';

const first = address('127.0.0.1', 9180);
const second = address('127.0.0.1', 9181);
const everywhere = address('0.0.0.0', 9180);

test('the same address again changes nothing', async () => {
  const { endpoint, calls } = await started(first);
  await (await endpoint.prepare(first)).commit();
  assert.deepEqual(calls, ['open 127.0.0.1:9180']);
});

test('a new address is opened before the old one is closed', async () => {
  const { endpoint, calls } = await started(first);
  const change = await endpoint.prepare(second);
  assert.deepEqual(calls, ['open 127.0.0.1:9180', 'open 127.0.0.1:9181']);
  await change.commit();
  assert.equal(calls.at(-1), 'close 127.0.0.1:9180');
  await endpoint.close();
  assert.equal(calls.at(-1), 'close 127.0.0.1:9181');
});

test('a cancelled change closes the new one and keeps the old', async () => {
  const { endpoint, calls } = await started(first);
  await (await endpoint.prepare(second)).cancel();
  assert.equal(calls.at(-1), 'close 127.0.0.1:9181');
  await endpoint.close();
  assert.equal(calls.at(-1), 'close 127.0.0.1:9180');
});

test('the listener can be turned off and on', async () => {
  const { endpoint, calls } = await started(first);
  await (await endpoint.prepare(undefined)).commit();
  assert.deepEqual(calls, ['open 127.0.0.1:9180', 'close 127.0.0.1:9180']);
  await (await endpoint.prepare(second)).commit();
  assert.equal(calls.at(-1), 'open 127.0.0.1:9181');
});

test('the same port on other hosts goes through closing, and back when it is cancelled', async () => {
  const { endpoint, calls } = await started(first);
  await (await endpoint.prepare(everywhere)).cancel();
  assert.deepEqual(calls.slice(1), [
    'close 127.0.0.1:9180',
    'open 0.0.0.0:9180',
    'close 0.0.0.0:9180',
    'open 127.0.0.1:9180',
  ]);
});

test('the old one comes back when the same port on other hosts cannot be opened', async () => {
  const { endpoint, calls } = await started(first, everywhere);
  await assert.rejects(endpoint.prepare(everywhere), /in use/);
  assert.equal(calls.at(-1), 'open 127.0.0.1:9180');
});

function address(host: string, port: number): ListenAddress {
  return { address: `${host}:${port}`, host, port };
}

async function started(at: ListenAddress, occupied?: ListenAddress) {
  const calls: string[] = [];
  const endpoint = new AdminEndpoint(async ({ address: name }) => {
    if (name === occupied?.address) throw new Error('in use');
    calls.push(`open ${name}`);
    return { close: async () => void calls.push(`close ${name}`) };
  });
  await endpoint.start(at);
  return { endpoint, calls };
}
