import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInThisContext } from 'node:vm';
import { PorticoError } from '../../../src/response/portico-error.ts';
import type { CompiledRoute } from '../../../src/route/compile-routes.ts';
import { RouteMetrics } from '../../../src/worker/route-metrics.ts';
import { compiledSites } from '../../support/compiled-sites.ts';
import { FakeExchange } from '../../support/fake-exchange.ts';
import { FakeRecorder } from '../../support/fake-recorder.ts';

test('a route carries its labels, its limit, its fields and the handler that was made for it', () => {
  const seen: [string, string, CompiledRoute][] = [];
  const handler = { handle: () => {} };
  const responseHeaders = { set: { 'X-Frame-Options': 'DENY', 'Cache-Control': 'private' }, remove: ['X-Powered-By'] };
  const routes = [{ path: '/a/*', name: 'first', bodyLimit: '1KB', responseHeaders, respond: {} }];
  const sites = compiledSites([{ name: 'shop', routes }], (route, site, compiled) => {
    seen.push([site.name, route.path, compiled]);
    return handler;
  });
  const route = sites.find(new FakeExchange({ target: '/a/b' }).withContext());
  assert.ok(!(route instanceof PorticoError));
  assert.deepEqual([route.site, route.name, route.bodyLimit, route.handler], ['shop', 'first', 1024, handler]);
  assert.equal(route.responseFields.toString(), '\r\nX-Frame-Options: DENY\r\nCache-Control: private');
  assert.deepEqual([...route.removedResponseFields], ['x-powered-by', 'x-frame-options', 'cache-control']);
  const [[site, path, compiled] = []] = seen;
  assert.deepEqual([site, path], ['shop', '/a/']);
  assert.equal(compiled?.responseFields, route.responseFields);
});

test('error pages are read once a site, however many routes it has', () => {
  const read: string[] = [];
  const routes = [
    { path: '/a', respond: {} },
    { path: '/b', respond: {} },
  ];
  const page = { contentType: 'text/html', body: Buffer.from('gone') };
  const sites = compiledSites([{ routes, errorPages: { 404: '/dev/null' } }], undefined, (path) => {
    read.push(path);
    return page;
  });
  assert.deepEqual(read, ['/dev/null']);
  for (const target of ['/a', '/b']) {
    const route = sites.find(new FakeExchange({ target }).withContext());
    assert.ok(!(route instanceof PorticoError));
    assert.equal(route.errorPages.get(404), page);
  }
});

test('an error page that cannot be read stops the compilation', () => {
  const routes = [{ path: '/', respond: {} }];
  const compile = (): unknown =>
    compiledSites([{ routes, errorPages: { 404: '/dev/null' } }], undefined, () => {
      throw new Error('no such page');
    });
  assert.throws(compile, { message: 'no such page' });
});

test('routes have one shape, in which their properties are found fast', () => {
  const recorder = new FakeRecorder();
  setFlagsFromString('--allow-natives-syntax');
  const haveSameShape = runInThisContext('(a, b) => %HaveSameMap(a, b)') as (a: unknown, b: unknown) => boolean;
  const isFast = runInThisContext('(a) => %HasFastProperties(a)') as (a: unknown) => boolean;
  // Functions are compiled when they are called first.
  assert.ok(isFast({}) && haveSameShape({}, {}));
  setFlagsFromString('--no-allow-natives-syntax');
  const rich = { methods: ['GET'], bodyLimit: '1GB', limitRate: '1MB', responseHeaders: { set: { 'X-A': 'b' } } };
  const routes = Array.from({ length: 400 }, (_, index) => ({
    path: `/${index}`,
    respond: {},
    ...(index % 2 === 0 ? {} : rich),
  }));
  const sites = compiledSites([{ routes }]);
  const found = routes.map(({ path }) => sites.find(new FakeExchange({ target: path }).withContext()));
  for (const route of found) {
    assert.ok(!(route instanceof PorticoError));
    // As the first request for it does.
    route.metrics = new RouteMetrics(recorder, route.site, route.name);
    assert.ok(isFast(route));
  }
  for (const route of found) assert.ok(haveSameShape(route, found[0]));
});
