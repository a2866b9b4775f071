/** What WebSockets promise over TCP, over TLS to the application: the same tests once more. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { proxyYaml } from '../../support/proxied-websockets.ts';
import { secureOrigins } from '../../support/secure-origins.ts';

const made = secureOrigins.begin();
// An `after` would come before the tests of the imported files.
process.once('exit', () => made.remove());

test('the tests of this file go over TLS', () => {
  assert.match(proxyYaml(['127.0.0.1:1']), /servers: \["https:\/\/127.0.0.1:1"\]/);
});

await import('../websocket/closing.test.ts');
await import('../websocket/messages.test.ts');
await import('../websocket/refusal.test.ts');
