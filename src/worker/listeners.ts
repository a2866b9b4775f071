import type { ListenAddress } from '../config/config.ts';
import type { Engine } from '../listener/engine.ts';

/** The listening sockets of a worker, brought to what the configuration says. */
export class Listeners {
  private readonly engine: Engine;
  private open: readonly ListenAddress[] = [];

  constructor(engine: Engine) {
    this.engine = engine;
  }

  get addresses(): readonly ListenAddress[] {
    return this.open;
  }

  /**
   * Opens the addresses that are new. When one fails, those opened by this call are closed again and it throws: all or nothing.
   * @returns a function that closes the addresses not wanted any more, to call once the new graph is in force
   */
  async openNew(wanted: readonly ListenAddress[]): Promise<() => void> {
    const isOpen = new Set(this.open.map((listener) => listener.address));
    const opened: ListenAddress[] = [];
    try {
      for (const listener of wanted) {
        if (isOpen.has(listener.address)) continue;
        await this.engine.listen(listener);
        opened.push(listener);
      }
    } catch (error) {
      for (const listener of opened) this.engine.unlisten(listener.address);
      throw error;
    }
    return () => this.closeOld(wanted);
  }

  private closeOld(wanted: readonly ListenAddress[]): void {
    const stays = new Set(wanted.map((listener) => listener.address));
    for (const listener of this.open) {
      if (!stays.has(listener.address)) this.engine.unlisten(listener.address);
    }
    this.open = wanted;
  }
}
