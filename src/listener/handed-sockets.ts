import type { Server } from 'node:net';

/** A listening socket from the primary, as Node.js hands it over: a handle of its own without a type. */
export interface HandedSocket {
  close(): void;
}

/** What `listen` comes down to, once it has a handle. A descriptor would do too, but not in the processes of Node's cluster. */
interface HandleServer {
  _handle: HandedSocket;
  _listen2(address: null, port: -1, addressType: -1, backlog: number): void;
}

/** The listening sockets that workers cannot open by themselves, because they share one: the primary opens it and hands it over. */
export class HandedSockets {
  readonly #waiting = new Map<string, HandedSocket>();

  /** Keeps a socket until a listener takes it. @param address as configured */
  keep(address: string, socket: HandedSocket): void {
    this.#waiting.get(address)?.close();
    this.#waiting.set(address, socket);
  }

  /**
   * Has a server listen on a socket that was handed over; `listening` or `error` follows. The server closes it.
   * @returns false where none was
   */
  listen(server: Server, address: string, backlog: number): boolean {
    const socket = this.#waiting.get(address);
    if (socket === undefined) return false;
    this.#waiting.delete(address);
    const inner = server as unknown as HandleServer;
    inner._handle = socket;
    inner._listen2(null, -1, -1, backlog);
    return true;
  }

  /** Closes what no listener took. */
  discard(): void {
    for (const socket of this.#waiting.values()) socket.close();
    this.#waiting.clear();
  }
}
