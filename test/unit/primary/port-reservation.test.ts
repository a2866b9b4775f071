import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { test } from 'node:test';
import type { ListenAddress } from '../../../src/config/config.ts';
import { AddressError, reservePorts } from '../../../src/primary/port-reservation.ts';

test('port 0 becomes a free port that can be listened on afterwards', async () => {
  const [reserved] = await reservePorts([wanted('127.0.0.1', 0)]);
  assert.ok(reserved !== undefined && reserved.port > 0);
  assert.equal(reserved.address, '127.0.0.1:0');
  await close(await listen(reserved.port));
});

test('two addresses with port 0 get different ports', async () => {
  const [first, second] = await reservePorts([wanted('127.0.0.1', 0), wanted('127.0.0.1', 0)]);
  assert.notEqual(first?.port, second?.port);
});

test('an address without a host means every address', async () => {
  const [reserved] = await reservePorts([wanted(undefined, 0)]);
  assert.ok((reserved?.port ?? 0) > 0);
});

test('a port in use is refused in one line that says where it stands and how to find the other program', async () => {
  const server = await listen(0);
  try {
    const port = portOf(server);
    const error = await failure([wanted('127.0.0.1', port)]);
    assert.match(
      error.message,
      new RegExp(`^listen: cannot listen on 127.0.0.1:${port}: the port is in use .*ss -ltnp`),
    );
    assert.ok(!error.message.includes('\n'));
    assert.equal(error.address, `127.0.0.1:${port}`);
  } finally {
    await close(server);
  }
});

test('the same port under two keys is found, since all are held until the last one is open', async () => {
  const [reserved] = await reservePorts([wanted('127.0.0.1', 0)]);
  const port = reserved?.port ?? 0;
  const error = await failure([wanted('127.0.0.1', port), wanted('127.0.0.1', port, 'admin.address')]);
  assert.match(error.message, /^admin\.address: cannot listen on .* in use/);
  await close(await listen(port));
});

test('an address of another machine is refused with a hint', async () => {
  const error = await failure([wanted('192.0.2.1', 8080)]);
  assert.match(error.message, /192\.0\.2\.1 is no address of this machine/);
});

test('a name that does not resolve is refused with a hint', async () => {
  const error = await failure([wanted('no-such-host.invalid', 8080)]);
  assert.match(error.message, /the name no-such-host\.invalid does not resolve/);
});

test('nothing stays open when one of several addresses fails', async () => {
  const [reserved] = await reservePorts([wanted('127.0.0.1', 0)]);
  const port = reserved?.port ?? 0;
  await failure([wanted('127.0.0.1', port), wanted('192.0.2.1', 8080)]);
  await close(await listen(port));
});

function wanted(host: string | undefined, port: number, key = 'listen'): { listener: ListenAddress; key: string } {
  return { listener: { address: `${host ?? ''}:${port}`, host, port }, key };
}

async function failure(addresses: Parameters<typeof reservePorts>[0]): Promise<AddressError> {
  try {
    await reservePorts(addresses);
  } catch (error) {
    assert.ok(error instanceof AddressError);
    return error;
  }
  throw new assert.AssertionError({ message: 'the addresses were taken for good' });
}

async function listen(port: number): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return server;
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
