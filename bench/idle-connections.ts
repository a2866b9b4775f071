import { connect, type Socket } from 'node:net';
import { browserHeaders } from './browser-headers.ts';
import { residentKilobytes } from './process-tree.ts';

const atOnce = 200;

/**
 * Resident memory that a kept-alive connection costs the serving process, in kilobytes: opens so many, sends one request on
 * each, and compares with before. Idle connections may be closed after ten seconds, so it hurries.
 * @param worker the process that serves
 * @returns undefined when the server closed some of them, which would falsify the figure
 */
export async function kilobytesPerIdleConnection(
  port: number,
  worker: number,
  path: string,
  { connections: count, settleMs }: { readonly connections: number; readonly settleMs: number },
): Promise<number | undefined> {
  // What the first connections allocate once is no cost of each.
  const first = await hold(port, path, atOnce);
  for (const socket of first) socket.destroy();
  await pause(settleMs / 3);
  const before = residentKilobytes(worker);
  const sockets = await hold(port, path, count);
  await pause(settleMs / 3);
  const after = residentKilobytes(worker);
  const closed = sockets.filter((socket) => socket.destroyed || socket.readableEnded).length;
  for (const socket of sockets) socket.destroy();
  await pause(settleMs / 3);
  return closed === 0 ? (after - before) / count : undefined;
}

async function hold(port: number, path: string, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const batch = Array.from({ length: Math.min(atOnce, count - sockets.length) }, () => openOne(port, path));
    sockets.push(...(await Promise.all(batch)));
  }
  return sockets;
}

/** Resolves once the first bytes of the response are there. */
function openOne(port: number, path: string): Promise<Socket> {
  const fields = Object.entries(browserHeaders).map(([name, value]) => `${name}: ${value}\r\n`);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port }, () => {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${fields.join('')}\r\n`);
    });
    socket.once('data', () => resolve(socket));
    socket.once('close', () => reject(new Error('the server closed a connection before it answered')));
    socket.on('error', reject);
  });
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
