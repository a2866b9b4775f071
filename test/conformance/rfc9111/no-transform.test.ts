import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CachedSite } from '../../support/cached-site.ts';

describe('no-transform', () => {
  test('does not compress a response with no-transform, fresh from upstream or stored', async (t) => {
    const text = 'hello '.repeat(2000);
    const site = await CachedSite.start(
      t,
      (request, response) => {
        const said = request.url === '/fixed' ? 'max-age=60, no-transform' : 'max-age=60';
        response.writeHead(200, { 'content-type': 'text/html', 'cache-control': said }).end(text);
      },
      'true',
      { route: 'compress: true' },
    );
    const coding = async (path: string) =>
      (await site.ask(path, { headers: { 'accept-encoding': 'gzip' } })).headers['content-encoding'];
    assert.deepEqual([await coding('/fixed'), await coding('/fixed')], [undefined, undefined]);
    assert.equal(await coding('/free'), 'gzip', 'so that this could fail');
  });
});
