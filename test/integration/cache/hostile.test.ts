import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CachedSite } from '../../support/cached-site.ts';

const minute = { 'cache-control': 'max-age=60' };

describe('what a client makes up', () => {
  test('does not reach others by a field that is not in the key', async (t) => {
    const site = await CachedSite.start(t, (request, response) => {
      const { headers } = request;
      const names = [
        'x-forwarded-host',
        'x-forwarded-proto',
        'x-forwarded-prefix',
        'x-original-url',
        'x-rewrite-url',
        'x-host',
      ];
      const seen = names.map((name) => `${name}=${String(headers[name])}`);
      response.writeHead(200, minute).end(seen.join(' '));
    });
    const evil = {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      'x-forwarded-prefix': '/evil',
      'x-original-url': '/admin',
      'x-rewrite-url': '/admin',
    };
    const first = await site.ask('/', { headers: evil });
    assert.doesNotMatch(first.text, /evil|admin/);
    assert.match(first.text, /x-forwarded-host=site.example x-forwarded-proto=http /);
    assert.match((await site.ask('/')).cache, /hit/);
  });

  test('is part of the key where a trusted proxy says it', async (t) => {
    const site = await CachedSite.start(
      t,
      (request, response) => response.writeHead(200, minute).end(String(request.headers['x-forwarded-host'])),
      'true',
      { top: 'trustedProxies: [127.0.0.1]' },
    );
    const evil = await site.ask('/', { headers: { 'x-forwarded-host': 'evil.example' } });
    assert.equal(evil.text, 'evil.example');
    assert.equal((await site.ask('/')).text, 'site.example');
    assert.equal((await site.ask('/', { headers: { 'x-forwarded-host': 'evil.example' } })).text, 'evil.example');
    assert.match((await site.ask('/', { headers: { 'x-forwarded-proto': 'https' } })).cache, /uri-miss/);
    assert.match((await site.ask('/', { headers: { 'x-original-url': '/a' } })).cache, /uri-miss/);
    assert.match((await site.ask('/', { headers: { 'x-original-url': '/b' } })).cache, /uri-miss/);
    assert.equal(site.requests.length, 5);
  });

  test('cannot bust the cache by Cache-Control or Pragma', async (t) => {
    const site = await CachedSite.start(t, (_request, response) => response.writeHead(200, minute).end('hello'));
    await site.ask('/');
    for (const headers of [{ 'cache-control': 'no-cache' }, { 'cache-control': 'max-age=0' }, { pragma: 'no-cache' }]) {
      assert.match((await site.ask('/', { headers })).cache, /hit/);
    }
  });

  test('cannot fill the store by what Vary names', async (t) => {
    const site = await CachedSite.start(t, (request, response) => {
      response.writeHead(200, { ...minute, vary: 'User-Agent' }).end(String(request.headers['user-agent']));
    });
    let stored = 0;
    for (let turn = 0; turn < 100; turn++) {
      const answer = await site.ask('/', { headers: { 'user-agent': `agent ${turn}` } });
      assert.equal(answer.text, `agent ${turn}`);
      if (answer.cache.includes('stored')) stored++;
    }
    assert.equal(stored, 64);
  });

  test('may be as long as a request may be', async (t) => {
    const site = await CachedSite.start(t, (request, response) => {
      response.writeHead(200, minute).end(`${request.url?.length} ${request.url?.slice(-1)}`);
    });
    const long = `/?${'x'.repeat(3000)}`;
    for (const end of ['a', 'b', 'a', 'b'])
      assert.equal((await site.ask(long + end)).text, `${long.length + 1} ${end}`);
    assert.equal(site.requests.length, 2);
  });

  test('does not make one key of two paths that mean the same to Portico alone', async (t) => {
    const site = await CachedSite.start(t, (request, response) => response.writeHead(200, minute).end(request.url));
    for (const path of ['/a/b', '/a//b', '/a/./b', '/a/x/../b', '/a%2Db']) {
      assert.equal((await site.ask(path)).text, path);
    }
  });
});

describe('what belongs to one person', () => {
  test('is not stored: Set-Cookie, private, Authorization', async (t) => {
    const site = await CachedSite.start(t, (request, response) => {
      const fields = request.url === '/cookie' ? { 'set-cookie': 'a=b' } : {};
      const control = request.url === '/private' ? 'private, max-age=60' : 'max-age=60';
      response.writeHead(200, { 'cache-control': control, ...fields }).end(String(request.headers.authorization));
    });
    await site.ask('/cookie');
    assert.match((await site.ask('/cookie')).cache, /uri-miss$/);
    await site.ask('/private');
    assert.match((await site.ask('/private')).cache, /uri-miss$/);
    const mine = await site.ask('/', { headers: { authorization: 'mine' } });
    assert.equal(mine.text, 'mine');
    assert.doesNotMatch(mine.cache, /stored/);
    assert.equal((await site.ask('/')).text, 'undefined');
    const again = await site.ask('/', { headers: { authorization: 'mine' } });
    assert.equal(again.text, 'mine', 'what is stored is not for those who say who they are');
  });

  test('goes past the cache by cookie, field and parameter', async (t) => {
    const site = await CachedSite.start(
      t,
      (request, response) => response.writeHead(200, minute).end(String(request.headers.cookie)),
      '{ bypass: { cookies: [sessionid, "wp_*"], headers: [X-Preview], query: [preview] } }',
    );
    assert.equal((await site.ask('/', { headers: { cookie: 'a=1; sessionid=me' } })).text, 'a=1; sessionid=me');
    assert.match((await site.ask('/', { headers: { cookie: 'a=1' } })).cache, /stored/);
    for (const cookie of ['sessionid=me', 'a=1;sessionid=me', 'wp_user=me']) {
      const answer = await site.ask('/', { headers: { cookie } });
      assert.equal(answer.text, cookie);
      assert.match(answer.cache, /fwd=bypass/);
    }
    assert.match((await site.ask('/', { headers: { 'x-preview': '' } })).cache, /fwd=bypass/);
    assert.match((await site.ask('/?%70review=1')).cache, /fwd=bypass/);
    assert.match((await site.ask('/', { headers: { cookie: 'mysessionid=x' } })).cache, /hit/);
  });

  test('is not stored of what Portico adds: the cookie of the server, the request id', async (t) => {
    const site = await CachedSite.start(t, (_request, response) => response.writeHead(200, minute).end('hello'));
    const first = await site.ask('/');
    assert.notEqual(first.headers['x-request-id'], undefined);
    const second = await site.ask('/');
    assert.equal(second.headers['x-request-id'], undefined);
    assert.equal(second.headers['set-cookie'], undefined);
  });
});

describe('a reload', () => {
  test('keeps what is stored, and changes the fields that it is sent with', async (t) => {
    const site = await CachedSite.start(t, (_request, response) =>
      response.writeHead(200, { ...minute, 'x-app': '1' }).end('hello'),
    );
    await site.ask('/');
    await site.reload('{ xCache: true }', 'responseHeaders: { set: { X-Site: new }, remove: [X-App] }');
    const answer = await site.ask('/');
    assert.match(answer.cache, /hit/);
    assert.equal(answer.headers['x-cache'], 'HIT');
    assert.equal(answer.headers['x-site'], 'new');
    assert.equal(answer.headers['x-app'], undefined);
    await site.reload('{ bypass: { query: [b] }, cacheStatus: false }');
    const plain = await site.ask('/');
    assert.equal(plain.cache, '');
    assert.equal(plain.headers['x-app'], '1');
    assert.equal(site.requests.length, 1);
  });
});
