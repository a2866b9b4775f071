import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createRedirectHandler } from '../../../src/redirect/redirect-handler.ts';
import { normalizePath } from '../../../src/request/path.ts';
import { serializeFields } from '../../../src/response/response-head.ts';
import { FakeExchange } from '../../support/fake-exchange.ts';

interface Redirect {
  readonly to: string;
  readonly status?: 301 | 302 | 307 | 308;
  readonly keepPath?: boolean;
  readonly keepQuery?: boolean;
  readonly path?: string;
  readonly exact?: boolean;
  readonly fields?: Buffer;
}

function redirect(options: Redirect, target: string, method = 'GET'): FakeExchange {
  const { to, status = 302, keepPath = true, keepQuery = true, path = '/old', exact = false, fields } = options;
  const handler = createRedirectHandler(
    { kind: 'redirect', to, status, keepPath, keepQuery },
    { prefix: path, exact, responseFields: fields ?? Buffer.alloc(0) },
  );
  const exchange = new FakeExchange({ target, method });
  handler.handle(exchange.withContext(normalizePath(exchange.head.rawPath) ?? '/'));
  return exchange;
}

function locationOf(options: Redirect, target: string): string | undefined {
  return redirect(options, target).responseFields.get('location');
}

const locations: readonly (readonly [about: string, options: Redirect, target: string, location: string])[] = [
  ['the path alone', { to: '/new' }, '/old', '/new'],
  ['the rest of the path', { to: '/new' }, '/old/a/b', '/new/a/b'],
  ['a slash at the end', { to: '/new' }, '/old/', '/new/'],
  ['one slash between the two', { to: '/new/' }, '/old/a', '/new/a'],
  ['a prefix that ends in a slash', { to: '/new', path: '/old/' }, '/old/a', '/new/a'],
  ['nothing behind a prefix that ends in a slash', { to: '/new/', path: '/old/' }, '/old/', '/new/'],
  ['the query', { to: '/new' }, '/old/a?b=c&d', '/new/a?b=c&d'],
  ['no question mark for an empty query', { to: '/new' }, '/old?', '/new'],
  ['the query behind its own', { to: '/new?from=old' }, '/old/a?b=c', '/new/a?from=old&b=c'],
  ['the fragment last', { to: '/new#top' }, '/old/a?b', '/new/a?b#top'],
  ['no query when it is not kept', { to: '/new', keepQuery: false }, '/old/a?b', '/new/a'],
  ['no rest when it is not kept', { to: '/new', keepPath: false }, '/old/a?b', '/new?b'],
  ['another host', { to: 'https://www.example.com', path: '/' }, '/a/b?c', 'https://www.example.com/a/b?c'],
  ['the root of another host', { to: 'https://www.example.com', path: '/' }, '/', 'https://www.example.com/'],
  ['another host and a query', { to: 'https://e.example', keepPath: false }, '/old?a', 'https://e.example/?a'],
  ['another host with a path', { to: 'https://e.example/x', path: '/' }, '/a', 'https://e.example/x/a'],
  ['an exact path', { to: '/new', exact: true }, '/old?a', '/new?a'],
  ['escapes as they came', { to: '/new' }, '/old/caf%C3%A9%20%3Fx%0A', '/new/caf%C3%A9%20%3Fx%0A'],
  ['the rest behind a prefix that came escaped', { to: '/new' }, '/%6fld/%61', '/new/%61'],
  ['slashes within the rest', { to: '/new' }, '/old/a//b', '/new/a//b'],
];

for (const [about, options, target, location] of locations) {
  test(`a redirect keeps ${about}`, () => {
    assert.equal(locationOf(options, target), location);
  });
}

test('a rest of slashes does not turn a path into another host', () => {
  for (const target of [
    '/old//evil.example',
    '/old///evil.example/',
    '//old//evil.example',
    '/old/./%2e//evil.example',
  ]) {
    const location = locationOf({ to: '/' }, target) ?? '';
    assert.equal(new URL(location, 'http://self.example').host, 'self.example', location);
  }
});

test('whatever the client sends, the host stays and the field is one line of ASCII', () => {
  const text = fc.string({ unit: 'binary', maxLength: 20 });
  const piece = fc.oneof(fc.constantFrom('/', '//', '\\', '@', ':', '..', '%2f', '\r\n', 'evil.example'), text);
  const rest = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(rest, fc.constantFrom('/', '/new', 'http://self.example', 'http://self.example/x?y'), (tail, to) => {
      const location = locationOf({ to }, `/old/${tail}`) ?? '';
      assert.match(location, /^[\x21-\x7e]+$/);
      assert.equal(new URL(location, 'http://self.example').host, 'self.example', location);
    }),
    { numRuns: 2000 },
  );
});

test('status, body and fields are those of the route', () => {
  for (const status of [301, 302, 307, 308] as const) {
    const fields = serializeFields([['Cache-Control', 'max-age=60']]);
    const exchange = redirect({ to: '/new', status, fields }, '/old/"><script>?a&b');
    assert.equal(exchange.status, status);
    assert.equal(exchange.responseFields.get('cache-control'), 'max-age=60');
    assert.equal(exchange.responseFields.get('content-type'), 'text/html; charset=utf-8');
    const body = exchange.responseBody.toString();
    assert.ok(body.includes('href="/new/&quot;&gt;&lt;script&gt;?a&amp;b"'), body);
  }
});

test('a field of the route does not double one of the redirect', () => {
  const fields = serializeFields([
    ['content-type', 'text/plain'],
    ['Location', '/elsewhere'],
  ]);
  const { responseFields } = redirect({ to: '/new', fields }, '/old');
  assert.deepEqual(responseFields.all('location'), ['/new']);
  assert.deepEqual(responseFields.all('content-type'), ['text/html; charset=utf-8']);
});
