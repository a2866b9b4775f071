import type { ListenAddress } from '../config/config.ts';
import type { Engine } from '../listener/engine.ts';
import { listenerIdentity } from '../listener/listener-identity.ts';
import { inQuietMoment } from '../listener/quiet-moment.ts';
import type { TlsListeners } from './tls-listeners.ts';

/** An address that nobody connects to, opened for an instant. */
const rehearsal: ListenAddress = { address: 'rehearsal', host: '127.0.0.1', port: 0 };

/** The listening sockets of a worker, brought to what the configuration says. */
export class Listeners {
  private readonly engine: Engine;
  private readonly tls: TlsListeners;
  private open: readonly ListenAddress[] = [];

  constructor(engine: Engine, tls: TlsListeners) {
    this.engine = engine;
    this.tls = tls;
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
    const useCertificates = this.tls.prepare(wanted);
    try {
      for (const listener of wanted) {
        if (isOpen.has(listenerIdentity(listener))) continue;
        await this.engine.listen(listener, this.tls.terminatorOf(listener));
        opened.push(listener);
      }
    } catch (error) {
      for (const listener of opened) this.engine.unlisten(listener);
      throw error;
    }
    return () => {
      useCertificates();
      return this.closeOld(wanted);
    };
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
