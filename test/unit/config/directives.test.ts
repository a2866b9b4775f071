import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileConfig } from '../../../src/config/compile.ts';
import { type ConfigInput, configSchema } from '../../../src/config/schema.ts';

const servers = ['127.0.0.1:8000'];
const toApp = { path: '/', proxy: { upstream: 'app' } };
const internal = { path: '/files/', internal: true, respond: {} };

function warnings(input: ConfigInput): readonly string[] {
  const { findings, warnings: found } = compileConfig(configSchema.parse(input), '/', new Set());
  assert.deepEqual(findings, []);
  return found;
}

test('files are not handed out unless the configuration says so', () => {
  const { upstreams } = configSchema.parse({ upstreams: { app: { servers } }, sites: [{ routes: [toApp] }] });
  assert.deepEqual(upstreams['app']?.directives, { redirect: false, buffering: true, limitRate: false });
});

test('an internal route that nothing leads to, and a redirect that leads nowhere, are warned of', () => {
  const redirect = { app: { servers, directives: { redirect: true } } };
  assert.deepEqual(warnings({ upstreams: { app: { servers } }, sites: [{ routes: [toApp, internal] }] }), [
    'nothing leads to the internal route /files/: no upstream has directives.redirect',
  ]);
  assert.deepEqual(warnings({ upstreams: redirect, sites: [{ routes: [toApp] }] }), [
    'upstreams.app.directives.redirect leads nowhere: no site has an internal route',
  ]);
  assert.deepEqual(warnings({ upstreams: redirect, sites: [{ routes: [toApp, internal] }] }), []);
});

test('the folder for X-Sendfile becomes absolute', () => {
  const parsed = configSchema.parse({
    upstreams: { app: { servers, directives: { sendfile: 'tmp' } } },
    sites: [{ routes: [toApp] }],
  });
  assert.equal(compileConfig(parsed, '/', new Set()).config.upstreams['app']?.directives.sendfile, '/tmp');
});
