import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PorticoError } from '../../../src/response/portico-error.ts';
import { compiledSites } from '../../support/compiled-sites.ts';
import { FakeExchange } from '../../support/fake-exchange.ts';

const sites = compiledSites([
  {
    routes: [
      { path: '/', respond: {} },
      { path: '/files/', internal: true, respond: {} },
      { path: '/files/public', respond: {} },
      { path: '/exact', exact: true, internal: true, respond: {} },
    ],
  },
]);

/** Name of the route, or the code of the error. @param made whether the request was made for an application */
function find(path: string, made: boolean): string {
  const context = new FakeExchange({ target: path }).withContext();
  if (made) context.origin = { context: new FakeExchange().withContext(), depth: 1, contentType: undefined };
  const found = sites.find(context);
  return found instanceof PorticoError ? found.code : found.name;
}

test('requests from outside find nothing where a route is internal, not even a route above it', () => {
  assert.equal(find('/files/a', false), 'route_not_found');
  assert.equal(find('/files/', false), 'route_not_found');
  assert.equal(find('/exact', false), 'route_not_found');
  assert.equal(find('/files/public', false), '/files/public');
  assert.equal(find('/exact/more', false), '/');
});

test('requests that were made here find internal routes only', () => {
  assert.equal(find('/files/a', true), '/files/');
  assert.equal(find('/exact', true), '/exact');
  assert.equal(find('/files/public', true), 'route_not_found');
  assert.equal(find('/', true), 'route_not_found');
});

test('the methods of an internal route are not told to those outside, and others may have the rest', () => {
  const own = compiledSites([
    {
      routes: [
        { path: '/get/', methods: ['GET'], internal: true, respond: {} },
        { path: '/get/', methods: ['POST'], name: 'post', respond: {} },
      ],
    },
  ]);
  const found = own.find(new FakeExchange({ method: 'DELETE', target: '/get/x' }).withContext());
  assert.ok(found instanceof PorticoError);
  assert.equal(found.fields?.toString('latin1'), '\r\nAllow: POST');
  const post = own.find(new FakeExchange({ method: 'POST', target: '/get/x' }).withContext());
  assert.ok(!(post instanceof PorticoError) && post.name === 'post');
  const get = own.find(new FakeExchange({ target: '/get/x' }).withContext());
  assert.ok(get instanceof PorticoError && get.code === 'route_not_found');
});
