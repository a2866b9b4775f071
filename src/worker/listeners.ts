import type { ListenAddress } from '../config/config.ts';
import { overlaps } from '../config/listen-address.ts';
import type { Engine } from '../listener/engine.ts';
import { listenerIdentity } from '../listener/listener-identity.ts';
import { inQuietMoment } from '../listener/quiet-moment.ts';
import { firstUnprivilegedPort } from '../listener/unprivileged-ports.ts';
import type { Privileges } from './privileges.ts';
import type { TlsListeners } from './tls-listeners.ts';

/** An address that nobody connects to, opened for an instant. */
const rehearsal: ListenAddress = { address: 'rehearsal', host: '127.0.0.1', port: 0 };

/** The listening sockets of a worker, brought to what the configuration says. */
export class Listeners {
  private readonly engine: Engine;
  private readonly tls: TlsListeners;
  private readonly privileges: Privileges;
  private readonly firstUnprivileged = firstUnprivilegedPort();
  private open: readonly ListenAddress[] = [];
  private waiting: readonly ListenAddress[] = [];

  constructor(engine: Engine, tls: TlsListeners, privileges: Privileges) {
    this.engine = engine;
    this.tls = tls;
    this.privileges = privileges;
  }

  /** Whether there is one that this process may not open any more: the next one will. */
  get awaitsReplacement(): boolean {
    return this.waiting.length > 0;
  }

  /** Whether one is open that this process could not open again. */
  get hasUnrepeatable(): boolean {
    return this.privileges.dropped && this.open.some((listener) => this.isPrivileged(listener));
  }

  get addresses(): readonly ListenAddress[] {
    return this.open;
  }

  /**
   * Opens the addresses that are new. When one fails, those opened by this call are closed again and it throws: all or nothing.
   * @returns a function that closes the addresses not wanted any more, to call once the new graph is in force; they are closed
   * when it resolves
   */
  async openNew(wanted: readonly ListenAddress[]): Promise<() => Promise<void>> {
    const isOpen = new Set(this.open.map(listenerIdentity));
    const opened: ListenAddress[] = [];
    const waiting: ListenAddress[] = [];
    const useCertificates = this.tls.prepare(wanted);
    try {
      for (const listener of wanted) {
        if (isOpen.has(listenerIdentity(listener))) continue;
        if (this.privileges.dropped && this.isPrivileged(listener)) {
          waiting.push(listener);
          continue;
        }
        const open = () => this.engine.listen(listener, this.tls.terminatorOf(listener));
        await (this.isPrivileged(listener) ? this.privileges.raised(open) : open());
        opened.push(listener);
      }
      this.privileges.drop();
    } catch (error) {
      for (const listener of opened) this.engine.unlisten(listener);
      throw error;
    }
    return () => {
      useCertificates();
      this.waiting = waiting;
      return this.closeOld(this.openable(wanted, waiting));
    };
  }

  /** What is wanted; where that has to wait, what is open at its place. */
  private openable(wanted: readonly ListenAddress[], waiting: readonly ListenAddress[]): readonly ListenAddress[] {
    const kept = this.open.filter((listener) => waiting.some((one) => overlaps(one, listener)));
    return [...wanted.filter((listener) => !waiting.includes(listener)), ...kept];
  }

  /** Sockets of such ports stay root's, and those of others the user's: those of one port must have one owner (SO_REUSEPORT). */
  private isPrivileged({ port, socket }: ListenAddress): boolean {
    return socket === undefined && port > 0 && port < this.firstUnprivileged;
  }

  /** Closes every address; what is connected lives on. */
  close(): Promise<void> {
    return this.closeOld([]);
  }

  private async closeOld(wanted: readonly ListenAddress[]): Promise<void> {
    const stays = new Set(wanted.map(listenerIdentity));
    const gone = this.open.filter((listener) => !stays.has(listenerIdentity(listener)));
    this.open = wanted;
    if (gone.length > 0) await this.rehearse();
    // One after the other, because each has a queue of its own.
    for (const listener of gone) await inQuietMoment(() => this.engine.unlisten(listener));
  }

  /** Code that runs for the first time is compiled first, which takes longer than all the rest of closing a socket. */
  private async rehearse(): Promise<void> {
    await this.engine.listen(rehearsal);
    await inQuietMoment(() => this.engine.unlisten(rehearsal));
  }
}
