import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';

/** A socket of which is known whether it can still send. */
export interface LingeringSocket extends Socket {
  /** Set once a write has failed: nothing more can be sent, an answer may still come. */
  readonly writeFailed: boolean;
}

/**
 * A socket that outlives a failed write for one turn of the event loop. A server that refuses an upload answers and
 * closes while the client still sends: the next write fails, and a socket destroyed at once would throw the answer away
 * that lies in its receive buffer. So reading goes on until the event loop has polled once more.
 */
export class UpstreamSocket extends Socket implements LingeringSocket {
  writeFailed = false;

  /** @param read gets what comes, in `buffer`; see `onread` of node:net */
  constructor(buffer: Buffer, read: (count: number) => boolean) {
    // Known to the runtime since Node 12; the types know it for `net.connect` only.
    const options: SocketConstructorOpts & { onread: OnReadOpts } = { onread: { buffer, callback: read } };
    super(options);
  }

  override destroy(error?: Error): this {
    if (this.writeFailed || !isOfWriting(error)) return super.destroy(error);
    this.writeFailed = true;
    afterPoll(() => super.destroy(error));
    return this;
  }
}

/** Makes a socket that is there already, and a TLS one at that, outlive a failed write in the same way. */
export function lingering(socket: Socket): LingeringSocket {
  const destroy = socket.destroy.bind(socket);
  const changed: LingeringSocket & { writeFailed: boolean } = Object.assign(socket, { writeFailed: false });
  socket.destroy = (error?: Error) => {
    if (changed.writeFailed || !isOfWriting(error)) return destroy(error);
    changed.writeFailed = true;
    afterPoll(() => destroy(error));
    return socket;
  };
  return changed;
}

function isOfWriting(error: NodeJS.ErrnoException | undefined): boolean {
  return error?.syscall === 'write';
}

/** The first one may run before the poll that brings the answer, the second one runs behind it. */
function afterPoll(run: () => void): void {
  setImmediate(() => setImmediate(run));
}
