import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import zlib from 'node:zlib';
import { decodedGet } from '../../support/decoded-get.ts';
import { type InProcessWorker, startInProcessWorker } from '../../support/in-process-worker.ts';
import { pageText } from '../../support/page-text.ts';
import { waitFor } from '../../support/wait-for.ts';

const hourAgo = new Date(Date.now() - 3_600_000);
const files: Readonly<Record<string, string | Buffer>> = {
  'page.html': pageText(20_000),
  'second.html': pageText(22_000),
  'app.js': pageText(300_000),
  'huge.js': pageText(3_000_000),
  'tiny.css': pageText(500),
  'image.png': randomBytes(20_000),
  'noise.css': randomBytes(20_000).toString('latin1').slice(0, 20_000),
  'ready.css': pageText(5000),
  'ready.css.gz': zlib.gzipSync(pageText(5000), { level: 1 }),
};

describe('a static route with compress', () => {
  let folder: string;
  let worker: InProcessWorker;
  const write = (name: string, contents: string | Buffer, time = hourAgo): void => {
    writeFileSync(join(folder, name), contents);
    utimesSync(join(folder, name), time, time);
  };

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'portico-compress-'));
    for (const [name, contents] of Object.entries(files)) write(name, contents);
    worker = await startInProcessWorker(`fileCache: { revalidate: 10ms }
sites:
  - routes:
      - { path: /, static: { root: ${folder}, listing: true, index: false }, compress: true }
      - { path: /guarded/, static: { root: ${folder} }, compress: { cookies: off } }
`);
  });

  after(async () => {
    await worker.close();
    rmSync(folder, { recursive: true });
  });

  const get = (
    path: string,
    headers: Readonly<Record<string, string>> = { 'accept-encoding': 'gzip' },
    method = 'GET',
  ) => decodedGet(worker.port, { path, headers, method });
  /** Asks until the form that was made once is sent. */
  const untilMade = async (path: string, coding = 'gzip') => {
    let answer = await get(path, { 'accept-encoding': coding });
    await waitFor(async () => {
      answer = await get(path, { 'accept-encoding': coding });
      return answer.headers['content-encoding'] === coding && answer.headers['content-length'] !== undefined;
    }, `the form of ${path}`);
    return answer;
  };

  for (const coding of ['gzip', 'br']) {
    test(`sends a file compressed at once, and from then on as small as it becomes, in ${coding}`, async () => {
      const first = await get('/page.html', { 'accept-encoding': coding });
      assert.equal(first.headers['content-encoding'], coding);
      assert.equal(first.body.toString(), files['page.html']);
      await waitFor(async () => {
        const again = await get('/page.html', { 'accept-encoding': coding });
        assert.equal(again.body.toString(), files['page.html']);
        assert.equal(again.headers['etag'], first.headers['etag']);
        assert.equal(again.headers['vary'], 'Accept-Encoding');
        return again.raw.length < first.raw.length;
      }, 'the smaller form');
    });
  }

  test('sends a larger file as it is until its form is made', async () => {
    const first = await get('/app.js');
    assert.equal(first.headers['content-encoding'], undefined);
    assert.equal(first.headers['vary'], 'Accept-Encoding');
    const made = await untilMade('/app.js');
    assert.equal(made.body.toString(), files['app.js']);
    assert.equal(made.headers['accept-ranges'], undefined);
    const head = await get('/app.js', { 'accept-encoding': 'gzip' }, 'HEAD');
    for (const name of ['content-encoding', 'content-length', 'etag', 'vary', 'content-type', 'last-modified']) {
      assert.equal(head.headers[name], made.headers[name], name);
    }
    const old = await get('/app.js', { 'accept-encoding': 'gzip', 'if-none-match': first.headers['etag'] ?? '' });
    assert.equal(old.status, 304, 'who has the file itself keeps it');
    assert.equal(old.headers['etag'], first.headers['etag']);
  });

  test('compresses a file on its way that is too large to be kept', async () => {
    const answer = await get('/huge.js');
    assert.equal(answer.headers['content-encoding'], 'gzip');
    assert.equal(answer.body.toString(), files['huge.js']);
  });

  test('answers conditional requests in every stage', async () => {
    const first = await get('/second.html');
    const etag = first.headers['etag'] ?? '';
    assert.match(etag, /^"[^"]+-gzip"$/);
    for (const stage of ['before', 'after']) {
      const conditional = { 'accept-encoding': 'gzip', 'if-none-match': etag };
      const unchanged = await get('/second.html', conditional);
      assert.equal(unchanged.status, 304, stage);
      assert.equal(unchanged.headers['etag'], etag);
      const since = await get('/second.html', {
        'accept-encoding': 'gzip',
        'if-modified-since': first.headers['last-modified'] ?? '',
      });
      assert.equal(since.status, 304);
      const failed = await get('/second.html', { 'accept-encoding': 'gzip', 'if-match': '"other"' });
      assert.equal(failed.status, 412);
      assert.equal((await get('/second.html', { 'accept-encoding': 'gzip', 'if-match': etag })).status, 200);
      await untilMade('/second.html');
    }
  });

  test('sends parts of the file itself', async () => {
    await untilMade('/page.html');
    const part = await get('/page.html', { 'accept-encoding': 'gzip', range: 'bytes=100-199' });
    assert.equal(part.status, 206);
    assert.equal(part.headers['content-encoding'], undefined);
    assert.equal(part.body.toString(), files['page.html']?.slice(100, 200));
    const { etag = '' } = part.headers;
    const coded = await get('/page.html', {
      'accept-encoding': 'gzip',
      range: 'bytes=100-199',
      'if-range': `${etag.slice(0, -1)}-gzip"`,
    });
    assert.equal(coded.status, 200, 'parts of the compressed form cannot be had');
    assert.equal(coded.body.toString(), files['page.html']);
  });

  test('prefers a compressed sibling', async () => {
    const answer = await get('/ready.css');
    assert.ok(answer.raw.equals(files['ready.css.gz'] as Buffer));
    assert.equal(answer.headers['accept-ranges'], 'bytes');
  });

  for (const [name, vary] of [
    ['tiny.css', undefined],
    ['image.png', undefined],
  ] as const) {
    test(`leaves ${name} as it is`, async () => {
      const answer = await get(`/${name}`);
      assert.equal(answer.headers['content-encoding'], undefined);
      assert.equal(answer.headers['vary'], vary);
    });
  }

  test('makes a new form when the file changes', async () => {
    await untilMade('/page.html');
    const changed = pageText(25_000).replaceAll('server', 'SERVER');
    write('page.html', changed, new Date());
    await waitFor(async () => (await get('/page.html')).body.toString() === changed, 'the change');
    assert.equal((await untilMade('/page.html')).body.toString(), changed);
    write('page.html', files['page.html'] ?? '');
    assert.equal(statSync(join(folder, 'page.html')).size, 20_000);
  });

  test('compresses listings', async () => {
    const many = Array.from({ length: 60 }, (_, index) => `file-${index}.txt`);
    for (const name of many) write(name, 'x');
    const answer = await get('/');
    assert.equal(answer.headers['content-encoding'], 'gzip');
    assert.match(answer.body.toString(), /file-59\.txt/);
  });

  test('with cookies off sends files as they are to who has one', async () => {
    const headers = { 'accept-encoding': 'gzip', cookie: 'a=b' };
    assert.equal((await get('/guarded/page.html', headers)).headers['content-encoding'], undefined);
    assert.equal((await get('/guarded/page.html')).headers['content-encoding'], 'gzip');
  });

  test('takes other rules at reload', async () => {
    await worker.reload(`sites: [{ routes: [{ path: /, static: { root: ${folder} } }] }]\n`);
    const answer = await get('/app.js');
    assert.equal(answer.headers['content-encoding'], undefined);
    assert.equal(answer.headers['vary'], undefined);
  });
});
