import type { SendHandle } from 'node:child_process';
import type { ListenAddress, SocketFile } from '../config/config.ts';
import type { Logger } from '../log/logger.ts';
import { allow, type BoundSocket, bindSocketFile } from './socket-file.ts';

interface OpenSocket {
  readonly file: SocketFile;
  readonly bound: BoundSocket;
}

/**
 * The Unix sockets that the workers share. They stay open here over the lives of workers, so that connections wait for the next
 * one instead of being refused; their files are removed when the configuration has them no more, and at the end.
 */
export class SocketFiles {
  /** By address. */
  readonly #open = new Map<string, OpenSocket>();
  /** Opened for a configuration that is not in force yet. */
  #fresh: string[] = [];
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** By address: what a worker is given. */
  get handles(): ReadonlyMap<string, SendHandle> {
    // A handle without a type (`net.Native`), as Node.js sends them between the processes of its cluster.
    return new Map([...this.#open].map(([address, { bound }]) => [address, bound as unknown as SendHandle]));
  }

  /**
   * Opens those that are new.
   * @throws AddressError for the first one that cannot be opened; nothing has changed then
   */
  async prepare(listen: readonly ListenAddress[]): Promise<void> {
    for (const { address, socket } of listen) {
      if (socket === undefined || this.#open.has(address)) continue;
      try {
        this.#open.set(address, { file: socket, bound: await bindSocketFile(socket, 'listen') });
      } catch (error) {
        this.cancel();
        throw error;
      }
      this.#fresh.push(address);
    }
  }

  /** Closes those that were opened for a configuration which is refused. */
  cancel(): void {
    for (const address of this.#fresh) this.#close(address);
    this.#fresh = [];
  }

  /** Closes those that the configuration in force has no more, and gives the others the permissions that it says. */
  commit(listen: readonly ListenAddress[]): void {
    this.#fresh = [];
    const wanted = new Map(listen.map(({ address, socket }) => [address, socket]));
    for (const [address, { file, bound }] of this.#open) {
      const next = wanted.get(address);
      if (next === undefined) this.#close(address);
      else if (JSON.stringify(next) !== JSON.stringify(file)) {
        this.#open.set(address, { file: next, bound });
        this.#allow(next);
      }
    }
  }

  /** Removes all files: nobody can connect any more. What workers have open lives on. */
  close(): void {
    for (const address of this.#open.keys()) this.#close(address);
  }

  #allow(file: SocketFile): void {
    try {
      allow(file);
    } catch (error) {
      this.#logger.error(`cannot change who may connect to unix:${file.path}`, { error });
    }
  }

  #close(address: string): void {
    this.#open.get(address)?.bound.close();
    this.#open.delete(address);
  }
}
