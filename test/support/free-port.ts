import { createServer } from 'node:net';

/** Below those that the system gives to connections that go out: none of them may take the port before it is listened on. */
const first = 10_000;
const count = 20_000;
let next = first + Math.floor(Math.random() * count);

/** A TCP port of the loopback address that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < count; tries++) {
    const port = next;
    next = first + ((next - first + 1) % count);
    if (await isFree(port)) return port;
  }
  throw new Error('no port is free');
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
