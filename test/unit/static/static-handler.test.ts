import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { metricNames } from '../../../src/metrics/names.ts';
import type { RequestContext } from '../../../src/request/request-context.ts';
import type { Handler } from '../../../src/route/route.ts';
import { StaticSite } from '../../support/static-site.ts';

const html = 'text/html; charset=utf-8';

class Application implements Handler {
  readonly paths: string[] = [];
  handle({ exchange, path }: RequestContext): void {
    this.paths.push(`${exchange.head.method} ${path}`);
    exchange.abort();
  }
}

describe('a static handler', () => {
  it('serves a file with type, validators and ranges', async (test) => {
    const site = new StaticSite(test);
    site.write('a.css', 'body{}', new Date('2026-01-02T03:04:05Z'));
    const response = await site.ask('/a.css');
    assert.equal(response.status, 200);
    assert.equal(response.responseBody.toString(), 'body{}');
    const fields = response.responseFields;
    assert.equal(fields.get('content-type'), 'text/css; charset=utf-8');
    assert.equal(fields.get('last-modified'), 'Fri, 02 Jan 2026 03:04:05 GMT');
    assert.match(fields.get('etag') ?? '', /^"[^"]+"$/);
    assert.equal(fields.get('accept-ranges'), 'bytes');
    assert.equal(fields.get('vary'), undefined);
    assert.equal(fields.get('cache-control'), undefined);
  });

  it('leaves out the fields that the route removes, also from a 304', async (test) => {
    const site = new StaticSite(test, { config: { removedResponseFields: new Set(['etag', 'accept-ranges']) } });
    site.write('a.css', 'body{}', new Date('2026-01-02T03:04:05Z'));
    const fields = { 'If-Modified-Since': 'Fri, 02 Jan 2026 03:04:05 GMT' };
    for (const response of [await site.ask('/a.css'), await site.ask({ target: '/a.css', fields })]) {
      assert.equal(response.responseFields.get('etag'), undefined);
      assert.equal(response.responseFields.get('accept-ranges'), undefined);
      assert.notEqual(response.responseFields.get('last-modified'), undefined);
    }
  });

  it('serves an empty file', async (test) => {
    const site = new StaticSite(test);
    site.write('empty.txt', '');
    const response = await site.ask('/empty.txt');
    assert.equal(response.status, 200);
    assert.equal(response.length, 0);
  });

  it('serves names with spaces, percent signs, question marks and letters of any script', async (test) => {
    const site = new StaticSite(test);
    for (const name of [
      'a b.txt',
      '100%.txt',
      'what?.txt',
      'straße.txt',
      '日本.txt',
      '%2e%2e',
      'a..b',
      '...'.slice(3) + 'x',
    ]) {
      site.write(name, name);
      const response = await site.ask({ target: `/${encodeURIComponent(name)}` });
      assert.equal(response.responseBody.toString(), name);
    }
  });

  it('looks a path up behind the prefix of its route', async (test) => {
    const site = new StaticSite(test);
    site.write('app/a.js', 'x');
    for (const prefix of ['/static/', '/static']) {
      site.handler = site.makeHandler({ prefix });
      assert.equal((await site.ask('/static/app/a.js')).status, 200, prefix);
      assert.equal((await site.ask('/static/static/app/a.js')).status, 404, prefix);
    }
  });

  it('serves an exact route from a folder by its last segment, or from a file', async (test) => {
    const site = new StaticSite(test);
    const path = site.write('favicon.ico', 'icon');
    site.handler = site.makeHandler({ prefix: '/some/favicon.ico', exact: true });
    assert.equal((await site.ask('/some/favicon.ico')).responseBody.toString(), 'icon');
    site.handler = site.makeHandler({ prefix: '/robots.txt', exact: true, root: path });
    assert.equal((await site.ask('/robots.txt')).responseBody.toString(), 'icon');
  });

  it('answers HEAD as GET without the body', async (test) => {
    const site = new StaticSite(test, { revalidateMs: 60_000 });
    site.write('a.txt', 'hello');
    for (const round of ['from disk', 'from memory']) {
      const response = await site.ask({ method: 'HEAD', target: '/a.txt' });
      assert.equal(response.status, 200, round);
      assert.equal(response.length, 5);
      assert.equal(response.bytesSent, 0);
      await site.ask('/a.txt');
    }
  });

  it('refuses other methods and says which there are', async (test) => {
    const site = new StaticSite(test);
    site.write('a.txt', 'x');
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'get', 'PROPFIND']) {
      const response = await site.ask({ method, target: '/a.txt' });
      assert.equal(response.status, 405, method);
      assert.equal(response.responseFields.get('allow'), 'GET, HEAD');
    }
  });
});

describe('folders of a static handler', () => {
  it('serves the index of a folder and redirects to its slash', async (test) => {
    const site = new StaticSite(test);
    site.write('index.html', 'home');
    site.write('docs/index.html', 'docs');
    assert.equal((await site.ask('/')).responseBody.toString(), 'home');
    const docs = await site.ask('/docs/');
    assert.equal(docs.responseBody.toString(), 'docs');
    assert.equal(docs.responseFields.get('content-type'), html);
    const redirect = await site.ask('/docs?a=b&c=%20');
    assert.equal(redirect.status, 301);
    assert.equal(redirect.responseFields.get('location'), '/docs/?a=b&c=%20');
  });

  it('redirects within the host whatever the path looks like', async (test) => {
    const site = new StaticSite(test);
    site.write('evil.example/index.html', 'x');
    site.write('ü x/index.html', 'x');
    const hostile = await site.ask({ target: '//evil.example' }, '/evil.example');
    assert.equal(hostile.responseFields.get('location'), '/evil.example/');
    const encoded = await site.ask({ target: '/%C3%BC%20x' });
    assert.equal(encoded.responseFields.get('location'), '/%C3%BC%20x/');
    const split = await site.ask({ target: '/evil.example?a\r\nX: y' }, '/evil.example');
    assert.equal(split.responseFields.get('x'), undefined);
    assert.equal(split.responseFields.get('location'), '/evil.example/?a%0D%0AX:%20y');
  });

  it('redirects the bare prefix of its route', async (test) => {
    const site = new StaticSite(test, { config: { prefix: '/static' } });
    site.write('index.html', 'home');
    assert.equal((await site.ask('/static')).responseFields.get('location'), '/static/');
    assert.equal((await site.ask('/static/')).responseBody.toString(), 'home');
  });

  it('answers 404 for folders without an index, and files with a slash behind', async (test) => {
    const site = new StaticSite(test);
    site.write('docs/a.txt', 'x');
    for (const target of ['/', '/docs', '/docs/', '/docs/a.txt/', '/docs/a.txt/b']) {
      assert.equal((await site.ask(target)).status, 404, target);
    }
    site.handler = site.makeHandler({ index: false });
    site.write('index.html', 'x');
    assert.equal((await site.ask('/')).status, 404);
  });
});

describe('what is no file', () => {
  it('serves the fallback where there is no file, but not for dotfiles', async (test) => {
    const site = new StaticSite(test, { config: { fallback: '/index.html' } });
    site.write('index.html', 'app');
    site.write('a.txt', 'a');
    const response = await site.ask('/users/7');
    assert.equal(response.status, 200);
    assert.equal(response.responseBody.toString(), 'app');
    assert.equal((await site.ask('/a.txt')).responseBody.toString(), 'a');
    assert.equal((await site.ask('/.env')).status, 404);
    rmSync(join(site.root, 'index.html'));
    assert.equal((await site.ask('/users/7')).status, 404);
  });

  it('keeps one copy of the fallback however many paths lead to it', async (test) => {
    const site = new StaticSite(test, { config: { fallback: 'index.html' }, revalidateMs: 60_000 });
    site.write('index.html', 'x'.repeat(60_000));
    for (let index = 0; index < 30; index++) await site.ask(`/page/${index}`);
    assert.ok(site.cache.bytes < 120_000, String(site.cache.bytes));
  });

  it('passes on what is no file, and what is no GET', async (test) => {
    const application = new Application();
    const site = new StaticSite(test, { config: { passThrough: application } });
    site.write('a.txt', 'a');
    mkdirSync(join(site.root, 'admin'));
    assert.equal((await site.ask('/a.txt')).status, 200);
    for (const [method, target] of [
      ['GET', '/missing'],
      ['GET', '/admin'],
      ['GET', '/.hidden'],
      ['POST', '/a.txt'],
    ] as const) {
      await site.ask({ method, target });
    }
    assert.deepEqual(application.paths, ['GET /missing', 'GET /admin', 'GET /.hidden', 'POST /a.txt']);
  });
});

describe('the fields of a static handler', () => {
  it('adds the fields of its route, which replace its own', async (test) => {
    const responseFields = Buffer.from('\r\nCache-Control: private\r\nX-Frame-Options: DENY');
    const site = new StaticSite(test, { config: { responseFields } });
    site.write('base.523eb49842a7.css', 'x'.repeat(100));
    site.write('d/index.html', '');
    const whole = await site.ask('/base.523eb49842a7.css');
    const etag = whole.responseFields.get('etag') ?? '';
    const others = [
      await site.ask({ target: '/base.523eb49842a7.css', fields: { 'If-None-Match': etag } }),
      await site.ask({ target: '/base.523eb49842a7.css', fields: { Range: 'bytes=0-1' } }),
      await site.ask({ target: '/base.523eb49842a7.css', fields: { Range: 'bytes=0-1,95-' } }),
      await site.ask('/d'),
    ];
    assert.deepEqual(
      others.map((response) => response.status),
      [304, 206, 206, 301],
    );
    for (const response of [whole, ...others]) assert.equal(response.responseFields.get('x-frame-options'), 'DENY');
    for (const response of [whole, ...others.slice(0, 3)]) {
      assert.deepEqual(response.responseFields.all('cache-control'), ['private']);
    }
  });

  it('says immutable for hashed names and what the rules say for others', async (test) => {
    const cacheControl = [{ match: '*.html', value: 'no-cache' }];
    const site = new StaticSite(test, { config: { cacheControl } });
    site.write('css/base.523eb49842a7.css', 'x');
    site.write('index.html', 'x');
    const control = async (target: string) => (await site.ask(target)).responseFields.get('cache-control');
    assert.equal(await control('/css/base.523eb49842a7.css'), 'public, max-age=31536000, immutable');
    assert.equal(await control('/'), 'no-cache');
  });

  it('lets a reload with the same settings find what was cached, and one with others not', async (test) => {
    const site = new StaticSite(test, { revalidateMs: 60_000 });
    site.write('a.txt', 'x');
    await site.ask('/a.txt');
    site.handler = site.makeHandler();
    assert.equal(site.start('/a.txt').complete, true);
    site.handler = site.makeHandler({ responseFields: Buffer.from('\r\nX-A: b') });
    const response = site.start('/a.txt');
    assert.equal(response.complete, false);
    await response.finished;
    assert.equal(response.responseFields.get('x-a'), 'b');
  });

  it('counts what came from memory and what from disk', async (test) => {
    const site = new StaticSite(test, { revalidateMs: 60_000 });
    site.write('a.txt', 'x');
    for (let index = 0; index < 3; index++) await site.ask('/a.txt');
    assert.equal(site.recorder.value(metricNames.fileCacheRequests, { result: 'disk' }), 1);
    assert.equal(site.recorder.value(metricNames.fileCacheRequests, { result: 'memory' }), 2);
  });

  it('gives a new ETag to edits within one second', async (test) => {
    const site = new StaticSite(test);
    const path = join(site.root, 'a.txt');
    const etags = new Set<string | undefined>();
    for (let index = 0; index < 3; index++) {
      writeFileSync(path, String(index));
      utimesSync(path, 1_700_000_000.1, 1_700_000_000.1 + index / 10);
      etags.add((await site.ask('/a.txt')).responseFields.get('etag'));
    }
    assert.equal(etags.size, 3);
  });

  it('never says a Last-Modified later than now', async (test) => {
    const site = new StaticSite(test);
    site.write('a.txt', 'x', new Date(Date.now() + 86_400_000));
    const value = (await site.ask('/a.txt')).responseFields.get('last-modified') ?? '';
    assert.ok(Date.parse(value) <= Date.now());
  });
});

describe('a static root', () => {
  it('follows links within the root', async (test) => {
    const site = new StaticSite(test);
    site.write('real/a.txt', 'x');
    symlinkSync('real', join(site.root, 'link'));
    symlinkSync('../real/a.txt', join(site.root, 'real', 'b.txt'));
    assert.equal((await site.ask('/link/a.txt')).status, 200);
    assert.equal((await site.ask('/real/b.txt')).status, 200);
  });

  it('follows a root that is a link, also when it is swapped', async (test) => {
    const site = new StaticSite(test);
    site.write('one/a.txt', 'first');
    site.write('two/a.txt', 'second');
    const current = join(site.outside, 'current');
    symlinkSync(join(site.root, 'one'), current);
    site.handler = site.makeHandler({ root: current });
    assert.equal((await site.ask('/a.txt')).responseBody.toString(), 'first');
    rmSync(current);
    symlinkSync(join(site.root, 'two'), current);
    assert.equal((await site.ask('/a.txt')).responseBody.toString(), 'second');
  });
});
