/** What proxying promises over TCP, over TLS: the same tests once more. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metricNames } from '../../../src/metrics/names.ts';
import { Proxied } from '../../support/proxied.ts';
import { ScriptedOrigin } from '../../support/scripted-origin.ts';
import { secureOrigins } from '../../support/secure-origins.ts';

const made = secureOrigins.begin();
// An `after` would come before the tests of the imported files.
process.once('exit', () => made.remove());

test('the tests of this file go over TLS', async () => {
  const origin = await ScriptedOrigin.answering('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
  const proxied = new Proxied([origin.server()]);
  assert.equal((await proxied.ask()).status, 200);
  const labels = { upstream: 'app', version: '1.3', resumed: 'no' };
  assert.equal(proxied.recorder.value(metricNames.upstreamTlsHandshakes, labels), 1);
  proxied.close();
  await origin.close();
});

await import('../admission/retry.test.ts');
await import('../admission/waiting.test.ts');
await import('../buffering/request.test.ts');
await import('../buffering/response.test.ts');
await import('../proxy/failure.test.ts');
await import('../proxy/request-body.test.ts');
await import('../proxy/response.test.ts');
await import('../proxy/streaming.test.ts');
await import('../proxy/upstream.test.ts');
