import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';

/**
 * A socket that outlives a failed write for one turn of the event loop. A server that refuses an upload answers and
 * closes while the client still sends: the next write fails, and a socket destroyed at once would throw the answer away
 * that lies in its receive buffer. So reading goes on until the event loop has polled once more.
 */
export class UpstreamSocket extends Socket {
  /** Set once a write has failed: nothing more can be sent, an answer may still come. */
  writeFailed = false;

  /**
   * @param buffer asked at the beginning, and behind each read, for the memory of the next one; see `onread` of node:net
   * @param read   gets what came, in that memory
   */
  constructor(buffer: () => Buffer, read: (count: number) => boolean) {
    // Known to the runtime since Node 12; the types know it for `net.connect` only.
    const options: SocketConstructorOpts & { onread: OnReadOpts } = { onread: { buffer, callback: read } };
    super(options);
  }

  override destroy(error?: Error): this {
    if (this.writeFailed || error === undefined || (error as NodeJS.ErrnoException).syscall !== 'write') {
      return super.destroy(error);
    }
    this.writeFailed = true;
    // The first one may run before the poll that brings the answer, the second one runs behind it.
    setImmediate(() => setImmediate(() => super.destroy(error)));
    return this;
  }
}
