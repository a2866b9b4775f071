import type { ListenAddress } from '../config/config.ts';

/** What makes two listeners the same one over a reload. */
export function listenerIdentity({ address, engine = 'auto', tls, proxyProtocol }: ListenAddress): string {
  const proxies = proxyProtocol === undefined ? '' : ` behind ${proxyProtocol.join()}`;
  return `${engine} ${tls === undefined ? 'http' : 'https'} ${address}${proxies}`;
}
