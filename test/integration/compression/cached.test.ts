import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { CachedSite } from '../../support/cached-site.ts';
import { decode } from '../../support/decoded-get.ts';
import { pageText } from '../../support/page-text.ts';
import { SharedCache } from '../../support/shared-cache.ts';
import { waitFor } from '../../support/wait-for.ts';

describe('a route with cache and compress', () => {
  for (const length of [20_000, 200_000]) {
    test(`stores ${length} bytes once, compresses them once, and sends the form from then on`, async (t) => {
      const page = pageText(length);
      const site = await CachedSite.start(
        t,
        (_, response) => {
          const headers = { 'Content-Type': 'text/html', 'Cache-Control': 'max-age=600', ETag: '"v1"' };
          response.writeHead(200, headers).end(page);
        },
        'true',
        { route: 'compress: true' },
      );
      const ask = (headers: Readonly<Record<string, string>>, method = 'GET') => site.ask('/', { headers, method });
      const gzip = { 'accept-encoding': 'gzip' };
      const first = await ask(gzip);
      assert.equal(decode(first.body, first.headers['content-encoding']).toString(), page);
      let last = first;
      await waitFor(async () => {
        last = await ask(gzip);
        assert.equal(decode(last.body, last.headers['content-encoding']).toString(), page);
        // Level 9 of what was level 1, with its length known.
        const isForm = last.headers['content-encoding'] === 'gzip' && last.headers['content-length'] !== undefined;
        return isForm && last.body.length < first.body.length;
      }, 'the form');
      assert.equal(site.requests.length, 1);
      assert.match(last.cache, /hit/);
      assert.equal(last.headers['etag'], '"v1-gzip"');
      assert.equal(last.headers['vary'], 'Accept-Encoding');
      assert.notEqual(last.headers['age'], undefined);

      const plain = await ask({});
      assert.equal(plain.text, page);
      assert.equal(plain.headers['vary'], 'Accept-Encoding');
      const unchanged = await ask({ ...gzip, 'if-none-match': '"v1-gzip"' });
      assert.equal(unchanged.status, 304);
      assert.equal(unchanged.headers['etag'], '"v1-gzip"');
      const head = await ask(gzip, 'HEAD');
      assert.equal(head.headers['content-length'], String(last.body.length));
      assert.equal(head.headers['etag'], last.headers['etag']);
      const part = await ask({ ...gzip, range: 'bytes=10-19' });
      assert.equal(part.status, 206);
      assert.equal(part.text, page.slice(10, 20));
      assert.equal(site.requests.length, 1);
    });
  }
});

test('another worker finds the form on disk', async (t) => {
  const page = pageText(20_000);
  const cache = new SharedCache(t);
  const site = await CachedSite.start(
    t,
    (_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/html', 'Cache-Control': 'max-age=600', ETag: '"v1"' }).end(page);
    },
    'true',
    { route: 'compress: { codings: [gzip] }', cache },
  );
  const form = gzipSync(page, { level: 9, memLevel: 9 });
  const ask = (worker: number) => site.ask('/', { headers: { 'accept-encoding': 'gzip' }, worker });
  const files = () =>
    readdirSync(cache.directory, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  const bodies = () => files().map((file) => readFileSync(`${file.parentPath ?? file.path}/${file.name}`));
  const holdsForm = () => bodies().some((bytes) => bytes.includes(form));
  await waitFor(async () => /; hit/.test((await ask(0)).cache) && holdsForm(), 'the form on disk');
  const written = bodies().length;
  await waitFor(async () => (await ask(1)).body.length === form.length, 'the form from disk');
  assert.deepEqual((await ask(1)).body, form);
  assert.equal(bodies().length, written);
  assert.equal(site.requests.length, 1);
});
