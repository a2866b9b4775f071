import type { Socket } from 'node:net';
import { type ClientHello, readClientHello } from './client-hello.ts';

/** What comes of waiting. */
export interface HelloWaiter {
  /** @param hello undefined when it was none: the handshake will say so. What was read is on the socket again. */
  ready(hello: ClientHello | undefined): void;
  /** The client has gone, or took too long; the socket is destroyed. */
  failed(error: Error): void;
}

/** Looks at the ClientHello of a connection, and leaves it there for the handshake. */
export function awaitHello(socket: Socket, timeoutMs: number, waiter: HelloWaiter): void {
  let held: Buffer = Buffer.alloc(0);
  const stop = (): void => {
    clearTimeout(timer);
    socket.off('readable', read);
    socket.off('end', gone);
    socket.off('close', gone);
    socket.off('error', ignore);
  };
  const fail = (code: string, message: string): void => {
    stop();
    socket.on('error', ignore);
    socket.destroy();
    waiter.failed(Object.assign(new Error(message), { code }));
  };
  const gone = (): void => fail('ECONNRESET', 'the client has gone before its handshake');
  const read = (): void => {
    const chunk: Buffer | null = socket.read();
    if (chunk === null) return;
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    const hello = readClientHello(held);
    if (hello === 'incomplete') return;
    stop();
    socket.unshift(held);
    waiter.ready(hello === 'none' ? undefined : hello);
  };
  const timer = setTimeout(() => fail('ERR_TLS_HANDSHAKE_TIMEOUT', 'the handshake was not begun in time'), timeoutMs);
  socket.on('error', ignore);
  socket.on('readable', read);
  socket.on('end', gone);
  socket.on('close', gone);
}

/** `close` follows. */
function ignore(): void {}
