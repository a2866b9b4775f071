import type { ContextOptions } from './certificate-store.ts';
import type { TlsConfig } from './tls-config.ts';

// Mozilla's "intermediate" recommendation: forward secrecy and authenticated encryption only. The order is the server's,
// cheapest first; scanners ask for one, though each of these is good.
const ciphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');
/** `SSL_OP_NO_RENEGOTIATION` of OpenSSL: clients could have the server work by it. The types of Node do not name it. */
export const noRenegotiation: number = 2 ** 30;
const curves = 'X25519:prime256v1:secp384r1';

/** What all contexts of a listener are made with. TLS 1.3 early data, which could be replayed, is off with Node. */
export function contextOptions({ minVersion }: TlsConfig): ContextOptions {
  return {
    minVersion: `TLSv${minVersion}`,
    ciphers,
    ecdhCurve: curves,
    honorCipherOrder: true,
    secureOptions: noRenegotiation,
  };
}
