import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { FakeExchange } from '../../support/fake-exchange.ts';
import { StaticSite } from '../../support/static-site.ts';

const modified = new Date('2026-01-02T03:04:05.678Z');
const lastModified = 'Fri, 02 Jan 2026 03:04:05 GMT';
const before = 'Fri, 02 Jan 2026 03:04:04 GMT';
const digits = Buffer.from(Array.from({ length: 1000 }, (_, index) => 48 + (index % 10)));

/** The same behaviour is asked of a file in memory and of one that is streamed. */
const places = { memory: 64 * 1024, disk: 10 };

function siteWithDigits(test: TestContext, maxFileBytes: number): StaticSite {
  const site = new StaticSite(test, { maxFileBytes, revalidateMs: 60_000 });
  site.write('digits', digits, modified);
  return site;
}

async function etagOf(site: StaticSite): Promise<string> {
  return (await site.ask({ method: 'HEAD', target: '/digits' })).responseFields.get('etag') ?? '';
}

for (const [place, maxFileBytes] of Object.entries(places)) {
  describe(`a request for a file from ${place}`, () => {
    const ask = (site: StaticSite, fields: Record<string, string>, method = 'GET'): Promise<FakeExchange> =>
      site.ask({ method, target: '/digits', fields });

    it('is 304 when the client has it, with the fields that a 304 must have', async (test) => {
      const site = siteWithDigits(test, maxFileBytes);
      const etag = await etagOf(site);
      for (const fields of [
        { 'If-None-Match': etag },
        { 'If-None-Match': `W/${etag}` },
        { 'If-None-Match': `"x", ${etag}` },
        { 'If-None-Match': '*' },
        { 'If-None-Match': etag, 'If-Modified-Since': before },
        { 'If-Modified-Since': lastModified },
        { 'If-None-Match': etag, Range: 'bytes=0-1' },
      ]) {
        for (const method of ['GET', 'HEAD']) {
          const response = await ask(site, fields, method);
          assert.equal(response.status, 304, JSON.stringify(fields));
          assert.equal(response.bytesSent, 0);
          assert.equal(response.responseFields.get('etag'), etag);
          assert.equal(response.responseFields.get('content-type'), undefined);
        }
      }
    });

    it('is 200 when the client has another one', async (test) => {
      const site = siteWithDigits(test, maxFileBytes);
      for (const fields of [
        { 'If-None-Match': '"x"' },
        { 'If-None-Match': '"x"', 'If-Modified-Since': lastModified },
        { 'If-Modified-Since': before },
        { 'If-Modified-Since': 'nonsense' },
        { 'If-Match': '*' },
        { 'If-Unmodified-Since': lastModified },
      ]) {
        const response = await ask(site, fields);
        assert.equal(response.status, 200, JSON.stringify(fields));
        assert.deepEqual(response.responseBody, digits);
      }
    });

    it('is 412 when it must be another one', async (test) => {
      const site = siteWithDigits(test, maxFileBytes);
      const etag = await etagOf(site);
      for (const fields of [
        { 'If-Match': '"x"' },
        { 'If-Match': `W/${etag}` },
        { 'If-Unmodified-Since': before },
        { 'If-Match': '"x"', 'If-None-Match': etag },
      ]) {
        const response = await ask(site, fields);
        assert.equal(response.status, 412, JSON.stringify(fields));
      }
    });

    it('gets the range it asks for', async (test) => {
      const site = siteWithDigits(test, maxFileBytes);
      for (const [range, first, last] of [
        ['bytes=0-0', 0, 0],
        ['bytes=10-19', 10, 19],
        ['bytes=990-', 990, 999],
        ['bytes=-5', 995, 999],
        ['bytes=0-99999', 0, 999],
        ['bytes=0-499,400-999', 0, 999],
      ] as const) {
        const response = await ask(site, { Range: range });
        assert.equal(response.status, 206, range);
        assert.deepEqual(response.responseBody, digits.subarray(first, last + 1));
        assert.equal(response.length, last + 1 - first);
        assert.equal(response.responseFields.get('content-range'), `bytes ${first}-${last}/1000`);
        assert.ok(response.responseFields.has('etag'));
      }
    });

    it('gets several ranges as multipart/byteranges of the length announced', async (test) => {
      const site = siteWithDigits(test, maxFileBytes);
      const response = await ask(site, { Range: 'bytes=500-504,0-1,-3' });
      assert.equal(response.status, 206);
      const type = response.responseFields.get('content-type') ?? '';
      const boundary = /^multipart\/byteranges; boundary=([0-9a-f]{36})$/.exec(type)?.[1];
      const part = (range: string, text: string): string =>
        `--${boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes ${range}/1000\r\n\r\n${text}\r\n`;
      const expected = `${part('500-504', '01234')}${part('0-1', '01')}${part('997-999', '789')}--${boundary}--\r\n`;
      assert.equal(response.responseBody.toString(), expected);
      assert.equal(response.length, expected.length);
      assert.equal(response.responseFields.get('content-range'), undefined);
    });

    it('is 416 when nothing of the range is there, with the length', async (test) => {
      const site = siteWithDigits(test, maxFileBytes);
      for (const range of ['bytes=1000-', 'bytes=-0', 'bytes=5000-6000,7000-']) {
        const response = await ask(site, { Range: range });
        assert.equal(response.status, 416, range);
        assert.equal(response.responseFields.get('content-range'), 'bytes */1000');
      }
    });

    it('gets everything when the range cannot be obeyed', async (test) => {
      const site = siteWithDigits(test, maxFileBytes);
      const etag = await etagOf(site);
      for (const fields of [
        { Range: 'lines=0-1' },
        { Range: 'bytes=9-1' },
        { Range: `bytes=${'0-0,'.repeat(100)}` },
        { Range: 'bytes=0-1', 'If-Range': '"x"' },
        { Range: 'bytes=0-1', 'If-Range': `W/${etag}` },
        { Range: 'bytes=0-1', 'If-Range': before },
      ]) {
        const response = await ask(site, fields);
        assert.equal(response.status, 200, JSON.stringify(fields));
        assert.equal(response.responseBody.length, 1000);
      }
      assert.equal((await ask(site, { Range: 'bytes=0-1' }, 'HEAD')).status, 200);
    });

    it('gets its range when If-Range holds', async (test) => {
      const site = siteWithDigits(test, maxFileBytes);
      for (const value of [await etagOf(site), lastModified]) {
        assert.equal((await ask(site, { Range: 'bytes=0-1', 'If-Range': value })).status, 206, value);
      }
    });

    it('ignores two Range fields', async (test) => {
      const site = siteWithDigits(test, maxFileBytes);
      const response = await site.ask({ target: '/digits', fields: { Range: ['bytes=0-1', 'bytes=2-3'] } });
      assert.equal(response.status, 200);
    });
  });
}

describe('conditions of one request', () => {
  it('do not leak into the next', async (test) => {
    const site = siteWithDigits(test, 64 * 1024);
    await site.ask('/digits');
    assert.equal((await site.ask({ target: '/digits', fields: { Range: 'bytes=0-1' } })).status, 206);
    assert.equal((await site.ask('/digits')).status, 200);
    assert.equal((await site.ask({ target: '/digits', fields: { 'If-None-Match': '*' } })).status, 304);
    assert.equal((await site.ask('/digits')).status, 200);
  });
});
