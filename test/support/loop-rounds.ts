import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { waitFor } from './wait-for.ts';

/** How many jobs the threads of this process do at a time. */
const threads = 4;

/**
 * Sends a byte through a socket and back that many times, and jobs through the threads: whatever was ready in this process
 * has had its turn then, and what has not happened is not on its way. For what both ends of which are in this process.
 */
export async function loopRounds(rounds = 25): Promise<void> {
  const server = createServer((socket) => socket.pipe(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const socket = connect(typeof address === 'object' && address !== null ? address.port : 0, '127.0.0.1');
  try {
    for (let round = 0; round < rounds; round++) {
      socket.write('x');
      const jobs = Array.from({ length: threads }, () => stat('.'));
      await once(socket, 'data');
      await Promise.all(jobs);
    }
  } finally {
    socket.destroy();
    server.close();
  }
}

/**
 * Waits until a number is above 0 and stays what it is over rounds of the event loop.
 * @param what completes the sentence "waited in vain for …"
 * @returns that number
 */
export async function standstill(value: () => number, what: string): Promise<number> {
  let latest = 0;
  await waitFor(async () => {
    latest = value();
    await loopRounds();
    return latest > 0 && latest === value();
  }, what);
  return latest;
}
