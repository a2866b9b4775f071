import type { ListenAddress } from '../config/config.ts';

/** What makes two listeners the same one over a reload. */
export function listenerIdentity({ address, engine = 'auto' }: ListenAddress): string {
  return `${engine} ${address}`;
}
