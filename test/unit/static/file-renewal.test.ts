import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { FailingDisk } from '../../support/failing-disk.ts';
import { StaticSite } from '../../support/static-site.ts';

const hourAgo = new Date(Date.now() - 3_600_000);
const fields = { 'Accept-Encoding': 'br' };

/** On a local disk whose folders have not changed for long, where every request looks whether its file has. */
function localSite(test: TestContext, revalidateMs = 0): { site: StaticSite; disk: FailingDisk } {
  const disk = new FailingDisk();
  disk.local = true;
  disk.ageMs = 60_000n;
  return { site: new StaticSite(test, { disk, revalidateMs }), disk };
}

async function bodyOf(site: StaticSite, target = '/a.js'): Promise<string> {
  const response = await site.ask({ target, fields });
  return response.status === 200 ? response.responseBody.toString() : String(response.status);
}

describe('a file in memory on a local disk', () => {
  it('is compared with the disk by looking at it and its folder, without a thread', async (test) => {
    const { site, disk } = localSite(test);
    site.write('a.js', 'plain', hourAgo);
    // The first request looks it up, the second finds out that nothing lies beside it.
    await bodyOf(site);
    await bodyOf(site);
    const before = { ...disk.calls };
    assert.equal(await bodyOf(site), 'plain');
    assert.deepEqual(disk.calls, { ...before, statNow: before.statNow + 2 });
  });

  it('shares one look at the folder with the others in it', async (test) => {
    const { site, disk } = localSite(test, 60_000);
    for (let file = 0; file < 10; file++) site.write(`${file}.js`, 'plain', hourAgo);
    const askAll = async (): Promise<void> => {
      for (let file = 0; file < 10; file++) assert.equal(await bodyOf(site, `/${file}.js`), 'plain');
    };
    const expireAll = (): void => {
      for (const entry of entriesOf(site)) entry.expiresAt = 0;
    };
    await askAll();
    expireAll();
    await askAll();
    expireAll();
    const before = disk.calls.statNow;
    await askAll();
    assert.equal(disk.calls.statNow - before, 10);
  });

  const changes: [what: string, change: (site: StaticSite) => void, after: string][] = [
    ['an edit of the same length', (site) => site.write('a.js', 'PLAIN', new Date(hourAgo.getTime() + 1)), 'PLAIN'],
    ['an edit that keeps the time', (site) => site.write('a.js', 'PLAIN', hourAgo), 'PLAIN'],
    ['its removal', (site) => rmSync(join(site.root, 'a.js')), '404'],
    ['its replacement', replaceFile, 'PLAIN'],
    ['a link in its place', linkFile, 'PLAIN'],
    ['a folder in its place', folderForFile, '404'],
    ['a compressed sibling that comes', (site) => site.write('a.js.br', 'brotli', hourAgo), 'brotli'],
  ];
  for (const [what, change, after] of changes) {
    it(`shows ${what} at once when it is compared`, async (test) => {
      const { site } = localSite(test);
      site.write('a.js', 'plain', hourAgo);
      for (let time = 0; time < 3; time++) assert.equal(await bodyOf(site), 'plain');
      change(site);
      assert.equal(await bodyOf(site), after);
      assert.equal(await bodyOf(site), after);
    });
  }

  const siblingChanges: [what: string, change: (site: StaticSite) => void, after: string][] = [
    ['an edit', (site) => site.write('a.js.br', 'BROTLI', hourAgo), 'BROTLI'],
    ['its removal', (site) => rmSync(join(site.root, 'a.js.br')), 'plain'],
    ['that it is outdated', (site) => touch(site, 'a.js.br', new Date(hourAgo.getTime() - 1000)), 'plain'],
  ];
  for (const [what, change, after] of siblingChanges) {
    it(`shows of a compressed sibling ${what}`, async (test) => {
      const { site } = localSite(test);
      site.write('a.js', 'plain', hourAgo);
      site.write('a.js.br', 'brotli', hourAgo);
      for (let time = 0; time < 3; time++) assert.equal(await bodyOf(site), 'brotli');
      change(site);
      assert.equal(await bodyOf(site), after);
    });
  }

  it('takes a sibling that was outdated and is made anew in place, which its folder does not show', async (test) => {
    const { site } = localSite(test);
    site.write('a.js', 'plain', hourAgo);
    site.write('a.js.br', 'brotli', new Date(hourAgo.getTime() - 1000));
    for (let time = 0; time < 3; time++) assert.equal(await bodyOf(site), 'plain');
    touch(site, 'a.js.br', hourAgo);
    assert.equal(await bodyOf(site), 'brotli');
  });

  it('is not told from its folder while the folder is young: the next change may not show', async (test) => {
    const { site, disk } = localSite(test);
    disk.ageMs = 0n;
    site.write('a.js', 'plain', hourAgo);
    await bodyOf(site);
    await bodyOf(site);
    const before = disk.calls.statNow;
    await bodyOf(site);
    // The file, the folder and three siblings.
    assert.equal(disk.calls.statNow - before, 5);
  });

  it('is looked up by a thread when looking at it fails', async (test) => {
    const { site, disk } = localSite(test);
    site.write('a.js', 'plain', hourAgo);
    await bodyOf(site);
    disk.fail('statNow', 'a.js', 'EIO');
    const before = disk.calls.stat;
    assert.equal(await bodyOf(site), 'plain');
    assert.ok(disk.calls.stat > before);
  });
});

it('a file on a remote disk is never waited for by the event loop', async (test) => {
  const { site, disk } = localSite(test);
  disk.local = false;
  site.write('a.js', 'plain', hourAgo);
  for (let time = 0; time < 3; time++) assert.equal(await bodyOf(site), 'plain');
  assert.equal(disk.calls.statNow, 0);
});

function entriesOf(site: StaticSite): Iterable<{ expiresAt: number }> {
  return (site.handler as unknown as { entries: Map<string, { expiresAt: number }> }).entries.values();
}

function replaceFile(site: StaticSite): void {
  site.write('new.js', 'PLAIN', hourAgo);
  renameSync(join(site.root, 'new.js'), join(site.root, 'a.js'));
}

function linkFile(site: StaticSite): void {
  site.write('other.js', 'PLAIN', hourAgo);
  rmSync(join(site.root, 'a.js'));
  symlinkSync('other.js', join(site.root, 'a.js'));
}

function folderForFile(site: StaticSite): void {
  rmSync(join(site.root, 'a.js'));
  mkdirSync(join(site.root, 'a.js'));
}

function touch(site: StaticSite, name: string, modified: Date): void {
  utimesSync(join(site.root, name), modified, modified);
}
