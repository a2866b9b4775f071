import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HealthConfig, HttpCheckConfig, ServerConfig } from '../../../src/config/config.ts';
import { compileCheck } from '../../../src/primary/health-check.ts';
import { serverConfig } from '../../support/server-config.ts';

function requestTo(address: ServerConfig['address'], check: Partial<HttpCheckConfig> = {}, port?: number): string[] {
  const http: HttpCheckConfig = { kind: 'http', method: 'GET', path: '/', headers: {}, status: [[200, 399]], ...check };
  const timing = { interval: 2000, timeout: 1000, rise: 2, fall: 3, jitter: 10, startAs: 'up' as const };
  const config: HealthConfig = { ...timing, check: http, ...(port === undefined ? {} : { port }) };
  const { request = '' } = compileCheck(config, serverConfig(address));
  assert.ok(request.endsWith('\r\n\r\n'));
  return request.trimEnd().split('\r\n');
}

test('a request is framed by us: one line each, the host of the server, and no connection kept', () => {
  assert.deepEqual(requestTo({ host: '127.0.0.1', port: 8000 }), [
    'GET / HTTP/1.1',
    'Host: 127.0.0.1:8000',
    'User-Agent: Portico-Health-Check',
    'Accept: */*',
    'Connection: close',
  ]);
});

test('the host is that of the port that is asked, in brackets for IPv6, a plain word for a Unix socket, or as configured', () => {
  assert.equal(requestTo({ host: '::1', port: 8000 }, {}, 8001)[1], 'Host: [::1]:8001');
  assert.equal(requestTo({ socketPath: '/run/app.sock' })[1], 'Host: localhost');
  assert.equal(requestTo({ socketPath: '/run/app.sock' }, { host: 'shop.example' })[1], 'Host: shop.example');
});

test('a configured field takes the place of ours, whatever its case', () => {
  const lines = requestTo({ host: '127.0.0.1', port: 1 }, { headers: { 'USER-AGENT': 'me', 'X-Key': 'a b' } });
  assert.deepEqual(lines.slice(2, 5), ['USER-AGENT: me', 'Accept: */*', 'X-Key: a b']);
});
