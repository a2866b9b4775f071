import { z } from 'zod';
import { file, textOf } from './schema-values.ts';

/** TLS to the servers of an upstream. */
export const upstreamTls = z.strictObject({
  serverName: textOf('a host name such as app.example, or an IP address')
    .optional()
    .describe(
      'The name that is asked for (SNI) and that the certificate must be for. Without it that is the host in the URL of the server; an address is not asked for, but the certificate must be for it. NGINX: `proxy_ssl_name`, `proxy_ssl_server_name on`. HAProxy: `sni`, `verifyhost`.',
    ),
  verify: z
    .boolean()
    .default(true)
    .describe(
      'Whether the certificate of a server must be good: by a known authority, in its time, for the name. `false` leaves the connection open to whoever can put themselves in between. NGINX: `proxy_ssl_verify`. HAProxy: `verify`.',
    ),
  ca: file
    .optional()
    .describe(
      'PEM file with the authorities that count, and no others; a self-signed certificate may stand for itself. Without it those of the system count. NGINX: `proxy_ssl_trusted_certificate`. HAProxy: `ca-file`.',
    ),
  certificate: file
    .optional()
    .describe(
      'PEM file with the certificate that servers are shown which ask for one, and behind it those of its issuers. NGINX: `proxy_ssl_certificate`. HAProxy: `crt`.',
    ),
  key: file
    .optional()
    .describe('PEM file with the private key of that certificate. NGINX: `proxy_ssl_certificate_key`. HAProxy: `crt`.'),
});

export type UpstreamTlsInput = z.output<typeof upstreamTls>;
