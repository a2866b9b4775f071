import type { ListenAddress } from '../config/config.ts';

/** What makes two listeners the same one over a reload. */
export function listenerIdentity({ address, engine = 'auto', tls }: ListenAddress): string {
  return `${engine} ${tls === undefined ? 'http' : 'https'} ${address}`;
}
