import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { StaticSite } from '../../support/static-site.ts';

const hourAgo = new Date(Date.now() - 3_600_000);
const twoHoursAgo = new Date(Date.now() - 7_200_000);

function siteWithSiblings(test: TestContext, config = {}): StaticSite {
  const site = new StaticSite(test, { config });
  site.write('a.js', 'plain', hourAgo);
  site.write('a.js.br', 'brotli', hourAgo);
  site.write('a.js.zst', 'zstandard', hourAgo);
  site.write('a.js.gz', 'gzip', hourAgo);
  return site;
}

describe('precompressed siblings', () => {
  const cases: [field: string | undefined, coding: string | undefined, body: string][] = [
    [undefined, undefined, 'plain'],
    ['', undefined, 'plain'],
    ['gzip, deflate, br, zstd', 'br', 'brotli'],
    ['gzip', 'gzip', 'gzip'],
    ['zstd', 'zstd', 'zstandard'],
    ['br;q=0.5, gzip', 'gzip', 'gzip'],
    ['br;q=0, *', 'zstd', 'zstandard'],
    ['*', 'br', 'brotli'],
    ['*;q=0', undefined, 'plain'],
    ['identity', undefined, 'plain'],
    ['gzip;q=0.5, identity', undefined, 'plain'],
    ['gzip;q=0.5', 'gzip', 'gzip'],
    ['identity;q=0, gzip;q=0.1', 'gzip', 'gzip'],
    ['identity;q=0', undefined, 'plain'],
    ['gzip;q=0', undefined, 'plain'],
    ['deflate', undefined, 'plain'],
  ];
  for (const [field, coding, body] of cases) {
    it(`answer Accept-Encoding ${JSON.stringify(field)} with ${coding ?? 'the file'}`, async (test) => {
      const site = siteWithSiblings(test);
      const fields = field === undefined ? {} : { 'Accept-Encoding': field };
      const response = await site.ask({ target: '/a.js', fields });
      assert.equal(response.responseBody.toString(), body);
      assert.equal(response.responseFields.get('content-encoding'), coding);
      assert.equal(response.responseFields.get('content-type'), 'text/javascript; charset=utf-8');
      assert.equal(response.responseFields.get('vary'), 'Accept-Encoding');
    });
  }

  it('have entity tags of their own, each good for its 304', async (test) => {
    const site = siteWithSiblings(test);
    const etags = new Map<string, string>();
    for (const coding of ['br', 'zstd', 'gzip', 'identity']) {
      const response = await site.ask({ target: '/a.js', fields: { 'Accept-Encoding': coding } });
      etags.set(coding, response.responseFields.get('etag') ?? '');
    }
    assert.equal(new Set(etags.values()).size, 4);
    const own = { 'Accept-Encoding': 'br', 'If-None-Match': etags.get('br') ?? '' };
    const notModified = await site.ask({ target: '/a.js', fields: own });
    assert.equal(notModified.status, 304);
    assert.equal(notModified.responseFields.get('vary'), 'Accept-Encoding');
    const others = { 'Accept-Encoding': 'br', 'If-None-Match': etags.get('gzip') ?? '' };
    assert.equal((await site.ask({ target: '/a.js', fields: others })).status, 200);
  });

  it('are cut into ranges of their own bytes', async (test) => {
    const site = siteWithSiblings(test);
    const fields = { 'Accept-Encoding': 'br', Range: 'bytes=1-2' };
    const response = await site.ask({ target: '/a.js', fields });
    assert.equal(response.status, 206);
    assert.equal(response.responseBody.toString(), 'ro');
    assert.equal(response.responseFields.get('content-range'), 'bytes 1-2/6');
  });

  it('are not used when older than the file', async (test) => {
    const site = siteWithSiblings(test);
    site.write('a.js.br', 'stale', twoHoursAgo);
    const response = await site.ask({ target: '/a.js', fields: { 'Accept-Encoding': 'br, gzip;q=0.1' } });
    assert.equal(response.responseBody.toString(), 'gzip');
  });

  it('come and go with the next look at the disk', async (test) => {
    const site = siteWithSiblings(test);
    const ask = async () =>
      (await site.ask({ target: '/a.js', fields: { 'Accept-Encoding': 'br' } })).responseBody.toString();
    assert.equal(await ask(), 'brotli');
    rmSync(join(site.root, 'a.js.br'));
    assert.equal(await ask(), 'plain');
    site.write('a.js.br', 'again');
    assert.equal(await ask(), 'again');
  });

  it('can be asked for themselves, and be switched off', async (test) => {
    const site = siteWithSiblings(test);
    const own = await site.ask({ target: '/a.js.gz', fields: { 'Accept-Encoding': 'gzip' } });
    assert.equal(own.responseFields.get('content-encoding'), undefined);
    site.handler = site.makeHandler({ precompressed: false });
    const plain = await site.ask({ target: '/a.js', fields: { 'Accept-Encoding': 'br' } });
    assert.equal(plain.responseBody.toString(), 'plain');
    assert.equal(plain.responseFields.get('vary'), undefined);
  });
});
