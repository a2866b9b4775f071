/** What tunnels promise over TCP, over TLS on both sides: the same tests once more. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ConnectionOptions, connect } from 'node:tls';
import { tlsEngine } from '../../support/http2-server.ts';
import { proxyYaml } from '../../support/proxied-websockets.ts';
import { RawClient } from '../../support/raw-client.ts';
import { secureOrigins } from '../../support/secure-origins.ts';
import { tunnelListener } from '../../support/upgrading-worker.ts';

const made = secureOrigins.begin();
// An `after` would come before the tests of the imported files.
process.once('exit', () => made.remove());
tunnelListener.engine = tlsEngine(made);
tunnelListener.isSecure = true;
RawClient.dial = (port, host) => {
  const options: ConnectionOptions & { allowHalfOpen: boolean } = {
    port,
    host,
    servername: 'localhost',
    rejectUnauthorized: false,
    allowHalfOpen: true,
  };
  return { socket: connect(options), ready: 'secureConnect' };
};

test('the tests of this file go over TLS', () => {
  assert.match(proxyYaml(['127.0.0.1:1']), /servers: \["https:\/\/127.0.0.1:1"\]/);
});

await import('./tunnel.test.ts');
await import('./refusal.test.ts');
await import('./backpressure.test.ts');
