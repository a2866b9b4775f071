import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { switching, TunnelOrigin } from '../../support/tunnel-origin.ts';
import { upgraded, withTunnels } from '../../support/upgrading-worker.ts';
import { waitFor } from '../../support/wait-for.ts';

const megabyte = 1024 ** 2;
const total = 64;
/** The bytes that the kernel takes on the way are not few, on two connections: what comes beyond them must stop. */
const kernelBytes = 24 * megabyte;

/** Writes all of it as fast as the other side takes it. */
function flood(socket: Socket, handed: (bytes: number) => void): void {
  let count = 0;
  const next = (): void => {
    if (count === total) return void socket.end();
    handed(++count * megabyte);
    socket.write(Buffer.alloc(megabyte, count), next);
  };
  next();
}

/** Reads all of it. @returns whether each byte is the one that was sent */
async function swallow(socket: Socket): Promise<boolean> {
  let count = 0;
  let right = true;
  socket.on('data', (chunk: Buffer) => {
    for (let index = 0; index < chunk.length; index += 4096)
      if (chunk[index] !== 1 + Math.floor((count + index) / megabyte)) right = false;
    count += chunk.length;
  });
  socket.resume();
  await waitFor(() => count === total * megabyte, 'everything');
  return right;
}

test('an application waits for a client that takes nothing, and everything arrives when it does', async () => {
  let handed = 0;
  const origin = await TunnelOrigin.start((socket) => {
    socket.write(switching('tcp'));
    flood(socket, (bytes) => (handed = bytes));
  });
  await withTunnels(origin, async (worker) => {
    const { client } = await upgraded(worker.port);
    client.socket.removeAllListeners('data');
    client.pause();
    const early = client.pending;
    await settled(() => handed);
    assert.ok(handed <= kernelBytes, `${handed} bytes were taken of the application`);
    client.socket.unshift(early);
    assert.ok(await swallow(client.socket));
    client.destroy();
  });
});

test('a client waits for an application that takes nothing, and everything arrives when it does', async () => {
  let taken: Socket | undefined;
  const origin = await TunnelOrigin.start((socket) => {
    socket.pause();
    taken = socket;
    socket.write(switching('tcp'));
  });
  await withTunnels(origin, async (worker) => {
    const { client } = await upgraded(worker.port);
    let handed = 0;
    flood(client.socket, (bytes) => (handed = bytes));
    await settled(() => handed);
    assert.ok(handed <= kernelBytes, `${handed} bytes were taken of the client`);
    assert.ok(await swallow(taken as Socket));
    taken?.end();
    await client.closed();
  });
});

test('a client that takes nothing is cut when that lasts, and so is the application', async () => {
  const origin = await TunnelOrigin.start((socket) => {
    socket.write(switching('tcp'));
    flood(socket, () => undefined);
  });
  await withTunnels(
    origin,
    async (worker) => {
      const { client } = await upgraded(worker.port);
      client.pause();
      await waitFor(() => worker.inFlight() === 0 && origin.open === 0, 'the end of the tunnel');
      client.destroy();
    },
    '{ protocols: [tcp], idleTimeout: 1s }',
  );
});

/** Waits until a number has not changed for a while. */
async function settled(read: () => number): Promise<void> {
  let last = -1;
  let since = Date.now();
  await waitFor(() => {
    if (read() !== last) {
      last = read();
      since = Date.now();
    }
    return last > 0 && Date.now() - since > 500;
  }, 'a number that stays');
}
