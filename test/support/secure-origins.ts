import { readFileSync } from 'node:fs';
import type { TlsOptions } from 'node:tls';
import type { UpstreamTlsConfig } from '../../src/tls/tls-config.ts';
import { TestCertificates } from './test-certificates.ts';

/** Whether origins that say nothing of it speak TLS, and what upstreams are configured with then. Without `begin` they do not. */
export const secureOrigins = {
  options: undefined as TlsOptions | undefined,
  configuration: undefined as UpstreamTlsConfig | undefined,
  /** Has the tests of the file that calls it, and of those that it imports, go over TLS. @returns what is to be removed */
  begin(): TestCertificates {
    const made = new TestCertificates();
    const { certificate, key } = made.make('origin', ['127.0.0.1']);
    this.options = { cert: readFileSync(certificate), key: readFileSync(key) };
    // Names that tests make up, and sockets, are all this one origin.
    this.configuration = { verify: true, ca: made.authority, serverName: '127.0.0.1' };
    return made;
  },
};
