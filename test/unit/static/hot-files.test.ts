import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { FailingDisk } from '../../support/failing-disk.ts';
import { FakeExchange } from '../../support/fake-exchange.ts';
import { StaticSite } from '../../support/static-site.ts';
import { waitForTurn } from '../../support/wait-for.ts';

const forever = 3_600_000;
const size = 100_000;

function siteWith(test: TestContext, files: Record<string, number>): { site: StaticSite; disk: FailingDisk } {
  const disk = new FailingDisk();
  const bounds = { maxBytes: 10 * size, maxFileBytes: 1000, maxHotFileBytes: 3 * size };
  const site = new StaticSite(test, { disk, ...bounds, revalidateMs: forever });
  for (const [name, bytes] of Object.entries(files)) site.write(name, Buffer.alloc(bytes, name));
  return { site, disk };
}

/** Asks as a client that takes nothing for now. */
function startStalled(site: StaticSite, target: string): FakeExchange {
  const exchange = new FakeExchange({ target });
  exchange.stall();
  site.handler.handle(exchange.withContext());
  return exchange;
}

/** Whether it is answered from memory, within the call. */
function isKept(site: StaticSite, path: string): boolean {
  const exchange = site.start(path);
  return exchange.complete;
}

async function makeHot(site: StaticSite, path: string): Promise<void> {
  for (let time = 0; time < 5; time++) {
    const { status } = await site.ask(path);
    assert.equal(status, 200);
  }
}

describe('large files', () => {
  it('are kept in memory once they are asked for often', async (test) => {
    const { site, disk } = siteWith(test, { a: size });
    for (let time = 0; time < 4; time++) {
      await site.ask('/a');
      assert.ok(site.cache.bytes < size);
    }
    assert.deepEqual((await site.ask('/a')).responseBody, Buffer.alloc(size, 'a'));
    const calls = { ...disk.calls };
    assert.ok(isKept(site, '/a'));
    assert.deepEqual(disk.calls, calls);
  });

  it('are not kept for requests of small parts, nor for HEAD', async (test) => {
    const { site } = siteWith(test, { a: size });
    for (let time = 0; time < 10; time++) {
      await site.ask({ target: '/a', fields: { Range: 'bytes=0-99' } });
      await site.ask({ method: 'HEAD', target: '/a' });
    }
    assert.ok(site.cache.bytes < size);
  });

  it('are answered in parts from memory, too', async (test) => {
    const { site, disk } = siteWith(test, { a: size });
    await makeHot(site, '/a');
    const { open } = disk.calls;
    const { responseBody, status } = await site.ask({ target: '/a', fields: { Range: 'bytes=5-70004' } });
    assert.equal(status, 206);
    assert.deepEqual(responseBody, Buffer.alloc(70_000, 'a'));
    assert.equal(disk.calls.open, open);
  });

  it('are not kept beyond the size of one and of all of them', async (test) => {
    const { site } = siteWith(test, { a: 4 * size, b: 3 * size, c: 2 * size, d: size });
    for (const name of ['a', 'b', 'c', 'd']) await makeHot(site, `/${name}`);
    const kept = ['a', 'b', 'c', 'd'].map((name) => isKept(site, `/${name}`));
    assert.deepEqual(kept, [false, true, true, false]);
    assert.ok(site.cache.bytes < 6 * size);
  });

  it('make room for others when nobody has asked for them lately', async (test) => {
    const { site } = siteWith(test, { a: 3 * size, b: 2 * size, c: 3 * size });
    const now = performance.now.bind(performance);
    let later = 0;
    test.mock.method(performance, 'now', () => now() + later);
    await makeHot(site, '/a');
    await makeHot(site, '/b');
    later = 10_001;
    assert.ok(isKept(site, '/b'));
    await makeHot(site, '/c');
    assert.deepEqual(
      ['a', 'b', 'c'].map((name) => isKept(site, `/${name}`)),
      [false, true, true],
    );
    assert.ok(site.cache.bytes < 6 * size);
  });

  it('stay while a slow client holds them, and count', async (test) => {
    const { site } = siteWith(test, { a: 3 * size, c: 3 * size });
    const now = performance.now.bind(performance);
    let later = 0;
    test.mock.method(performance, 'now', () => now() + later);
    await makeHot(site, '/a');
    const slow = startStalled(site, '/a');
    later = 10_001;
    await makeHot(site, '/c');
    assert.equal(isKept(site, '/c'), false);
    assert.ok(isKept(site, '/a'));
    slow.drain();
    assert.deepEqual(slow.responseBody, Buffer.alloc(3 * size, 'a'));
    later = 30_000;
    await makeHot(site, '/c');
    assert.ok(isKept(site, '/c'));
    assert.ok(site.cache.bytes < 5 * size, String(site.cache.bytes));
  });

  it('are read anew when they have changed', async (test) => {
    const site = new StaticSite(test, { maxBytes: 10 * size, maxFileBytes: 1000, maxHotFileBytes: size });
    site.write('a', Buffer.alloc(size, 'a'));
    await makeHot(site, '/a');
    site.write('a', Buffer.alloc(size, 'b'), new Date(Date.now() - 1_800_000));
    assert.deepEqual((await site.ask('/a')).responseBody, Buffer.alloc(size, 'b'));
    assert.ok(site.cache.bytes < size);
  });

  it('are tried again when they could not be read into memory', async (test) => {
    const { site, disk } = siteWith(test, { a: size });
    for (let time = 0; time < 4; time++) await site.ask('/a');
    disk.readsFail = 'EIO';
    assert.equal((await site.ask('/a')).status, 500);
    disk.heal();
    await makeHot(site, '/a');
    assert.ok(isKept(site, '/a'));
  });

  it('of several megabytes go out in pieces to a client that is slow at times', async (test) => {
    const bytes = 5 * 1024 ** 2 + 17;
    const bounds = { maxBytes: 4 * bytes, maxFileBytes: 1000, maxHotFileBytes: bytes };
    const site = new StaticSite(test, { ...bounds, revalidateMs: forever });
    const contents = Buffer.from(Array.from({ length: bytes }, (_, index) => index % 251));
    site.write('a', contents);
    await makeHot(site, '/a');
    const exchange = startStalled(site, '/a');
    exchange.drain(3 * 1024 ** 2);
    await waitForTurn(() => exchange.stalled, 'the client to fall behind');
    exchange.drain();
    await exchange.finished;
    assert.ok(exchange.responseBody.equals(contents));
    const gone = startStalled(site, '/a');
    assert.ok(gone.stalled);
    gone.disconnect();
    site.cache.configure({ maxBytes: 0, maxFileBytes: 0, revalidateMs: 0 });
    assert.equal(site.cache.bytes, 0);
  });
});
