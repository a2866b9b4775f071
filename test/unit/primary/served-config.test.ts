import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import type { Config, ListenAddress } from '../../../src/config/config.ts';
import { AddressError } from '../../../src/primary/port-reservation.ts';
import { resolveAddresses } from '../../../src/primary/served-config.ts';

test('listeners and the admin listener get free ports in the place of 0', async () => {
  const { listen, admin } = await resolveAddresses(config([at('127.0.0.1', 0)], at('127.0.0.1', 0)));
  assert.equal(listen.length, 1);
  assert.ok((listen[0]?.port ?? 0) > 0);
  assert.ok((admin?.port ?? 0) > 0);
  assert.notEqual(admin?.port, listen[0]?.port);
});

test('an address that was there before keeps the port it got', async () => {
  const former = await resolveAddresses(config([at('127.0.0.1', 0)]));
  const next = await resolveAddresses(config([at('127.0.0.1', 0), at('::1', 0)]), former);
  assert.equal(next.listen[0]?.port, former.listen[0]?.port);
  assert.ok((next.listen[1]?.port ?? 0) > 0);
  assert.equal(next.admin, undefined);
});

test('a port that this program itself holds is not taken for a foreign one', async () => {
  await withServer(async (port) => {
    const former = config([at('127.0.0.1', port)]);
    const next = await resolveAddresses(config([at('0.0.0.0', port)]), former);
    assert.equal(next.listen[0]?.port, port);
  });
});

test('a port that another program holds is refused', async () => {
  await withServer((port) => assert.rejects(resolveAddresses(config([at('127.0.0.1', port)])), AddressError));
});

function at(host: string, port: number): ListenAddress {
  return { address: `${host}:${port}`, host, port };
}

function config(listen: ListenAddress[], admin?: ListenAddress): Config {
  return { listen, admin, upstreams: {} } as unknown as Config;
}

async function withServer(use: (port: number) => Promise<unknown>): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  try {
    await use(typeof address === 'object' && address !== null ? address.port : 0);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}
