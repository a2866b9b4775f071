import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { StaticSite } from '../../support/static-site.ts';

function listedSite(test: TestContext): StaticSite {
  return new StaticSite(test, { config: { listing: true } });
}

const json = { Accept: 'application/json' };

describe('a listing', () => {
  it('shows folders, then files, by name, without hidden ones', async (test) => {
    const site = listedSite(test);
    site.write('b.txt', 'four');
    site.write('a.txt', '');
    site.write('.hidden', '');
    mkdirSync(join(site.root, 'zoo'));
    const response = await site.ask({ target: '/', fields: json });
    assert.equal(response.responseFields.get('content-type'), 'application/json; charset=utf-8');
    assert.equal(response.responseFields.get('vary'), 'Accept');
    const items = JSON.parse(response.responseBody.toString()) as { name: string; type: string; size: number }[];
    assert.deepEqual(
      items.map(({ name, type, size }) => [name, type, size]),
      [
        ['zoo', 'directory', 0],
        ['a.txt', 'file', 0],
        ['b.txt', 'file', 4],
      ],
    );
  });

  it('escapes names wherever they stand', async (test) => {
    const site = listedSite(test);
    const name = `<img src=x onerror="a('b')">&.txt`;
    writeFileSync(join(site.root, name), 'x');
    writeFileSync(join(site.root, 'javascript:alert(1)'), 'x');
    const response = await site.ask({ target: '/', fields: { Accept: 'text/html' } });
    const page = response.responseBody.toString();
    assert.ok(!page.includes('<img'));
    assert.ok(page.includes('&lt;img src=x onerror=&quot;a(&#39;b&#39;)&quot;&gt;&amp;.txt'));
    assert.ok(page.includes('href="./javascript%3Aalert(1)"'));
    assert.match(response.responseFields.get('content-security-policy') ?? '', /default-src 'none'/);
    const link = /href="(\.\/%3Cimg[^"]+)"/.exec(page)?.[1] ?? '';
    const target = new URL(link, 'http://a/').pathname;
    assert.equal((await site.ask({ target })).responseBody.toString(), 'x');
  });

  it('gives way to an index, needs its slash, and is off unless asked for', async (test) => {
    const site = listedSite(test);
    site.write('with/index.html', 'index');
    site.write('without/a.txt', 'x');
    assert.equal((await site.ask('/with/')).responseBody.toString(), 'index');
    assert.equal((await site.ask('/without')).responseFields.get('location'), '/without/');
    const page = (await site.ask('/without/')).responseBody.toString();
    assert.ok(page.includes('href="../"') && page.includes('a.txt'));
    assert.ok(!(await site.ask('/')).responseBody.toString().includes('href="../"'));
    site.handler = site.makeHandler();
    assert.equal((await site.ask('/without/')).status, 404);
  });

  it('stays within bounds in a huge folder', async (test) => {
    const site = listedSite(test);
    for (let index = 0; index < 10_050; index++) writeFileSync(join(site.root, `f${index}`), '');
    const response = await site.ask({ target: '/', fields: json });
    const items = JSON.parse(response.responseBody.toString()) as unknown[];
    assert.equal(items.length, 10_000);
    assert.match((await site.ask('/')).responseBody.toString(), /Only the first 10000 names/);
  });
});
