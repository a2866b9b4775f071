import type { ListenAddress } from '../config/config.ts';
import { overlaps } from '../config/listen-address.ts';

/** An admin listener that is open. */
export interface OpenAdmin {
  close(): Promise<void>;
}

/** A change that was tried already, to make or to take back. */
export interface AdminChange {
  commit(): Promise<void>;
  cancel(): Promise<void>;
}

const noChange: AdminChange = { commit: async () => {}, cancel: async () => {} };

/** The admin listener over the life of the program: its address may change at a reload. */
export class AdminEndpoint {
  private readonly open: (address: ListenAddress) => Promise<OpenAdmin>;
  private address: ListenAddress | undefined;
  private server: OpenAdmin | undefined;

  /** @param open opens a listener; rejects with a message for the operator when it cannot */
  constructor(open: (address: ListenAddress) => Promise<OpenAdmin>) {
    this.open = open;
  }

  async start(address: ListenAddress | undefined): Promise<void> {
    this.server = address === undefined ? undefined : await this.open(address);
    this.address = address;
  }

  /** Opens the listener of the new address beside the one there is. @throws when it cannot be opened */
  async prepare(next: ListenAddress | undefined): Promise<AdminChange> {
    const { address, server } = this;
    if (placeOf(next) === placeOf(address)) return noChange;
    if (next !== undefined && address !== undefined && overlaps(next, address))
      return this.prepareInPlace(next, address);
    const opened = next === undefined ? undefined : await this.open(next);
    return {
      commit: async () => {
        this.server = opened;
        this.address = next;
        await server?.close();
      },
      cancel: async () => opened?.close(),
    };
  }

  async close(): Promise<void> {
    await this.server?.close();
    this.server = undefined;
  }

  /** The same port on other hosts: the old one has to go first, and comes back when the new one cannot be had. */
  private async prepareInPlace(next: ListenAddress, former: ListenAddress): Promise<AdminChange> {
    await this.close();
    const goBack = async (): Promise<void> => {
      await this.close();
      await this.start(former);
    };
    try {
      await this.start(next);
    } catch (error) {
      await goBack();
      throw error;
    }
    return { commit: async () => {}, cancel: goBack };
  }
}

function placeOf(address: ListenAddress | undefined): string | undefined {
  return address && JSON.stringify([address.host, address.port, address.socket]);
}
