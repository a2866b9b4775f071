import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { normalizePath } from '../../../src/request/path.ts';
import { FailingDisk } from '../../support/failing-disk.ts';
import { StaticSite, type StaticSiteOptions } from '../../support/static-site.ts';

const secret = 'the secret outside';

function siteWithSecret(test: TestContext, options: StaticSiteOptions = {}): StaticSite {
  const site = new StaticSite(test, options);
  writeFileSync(join(site.outside, 'secret.txt'), secret);
  site.write('a.txt', 'public');
  site.write('.env', secret);
  site.write('.git/config', secret);
  site.write('sub/.htpasswd', secret);
  site.write('.well-known/security.txt', 'contact');
  site.write('.well-known/.hidden', secret);
  return site;
}

/** Paths as a request may bring them past a normaliser that missed something. */
const traversals = [
  '/../outside/secret.txt',
  '/..',
  '/.',
  '/./a.txt',
  '/sub/../a.txt',
  '/sub/../../outside/secret.txt',
  '/sub/..',
  '//../outside/secret.txt',
  '//a.txt',
  '/sub//a.txt',
  '/a.txt\0.png',
  '/\0',
  '/..\\outside\\secret.txt',
  '\\..\\outside\\secret.txt',
  '/%2e%2e/outside/secret.txt',
  '/..%2foutside/secret.txt',
  '/%252e%252e/outside/secret.txt',
  '/..;/outside/secret.txt',
  '/.../outside/secret.txt',
  '/\u2025/outside/secret.txt',
  '/\uff0e\uff0e/outside/secret.txt',
  '/..\u2215outside\u2215secret.txt',
  '/~root/.profile',
  '/proc/self/environ',
  '/etc/passwd',
  '/dev/stdin',
  '/file:///etc/passwd',
  `/${'a'.repeat(256)}`,
  `/${'ä'.repeat(128)}`,
  `/${'a/'.repeat(2000)}`,
  `/${'../'.repeat(100)}etc/passwd`,
];

const encodedTraversals = [
  '/%2e%2e/outside/secret.txt',
  '/%2E%2E/outside/secret.txt',
  '/.%2e/outside/secret.txt',
  '/sub/%2e%2e/%2e%2e/outside/secret.txt',
  '/..%2foutside%2fsecret.txt',
  '/%2e%2e%2foutside/secret.txt',
  '/..%5coutside%5csecret.txt',
  '/%c0%ae%c0%ae/outside/secret.txt',
  '/%c0%ae%c0%ae%c0%afoutside/secret.txt',
  '/%e0%80%ae%e0%80%ae/outside/secret.txt',
  '/%252e%252e/outside/secret.txt',
  '/%u002e%u002e/outside/secret.txt',
  '/a.txt%00',
  '/a.txt%00.css',
  '/%2eenv',
  '/%2Egit/config',
  '/x/../.git/config',
];

describe('hostile paths', () => {
  it('never leave the root', async (test) => {
    const site = siteWithSecret(test);
    for (const path of traversals) {
      const response = await site.ask('/x', path);
      assert.equal(response.status, 404, JSON.stringify(path));
    }
  });

  it('never leave the root in any encoding, behind the normaliser', async (test) => {
    const site = siteWithSecret(test);
    for (const target of encodedTraversals) {
      const path = normalizePath(target);
      if (path === undefined) continue;
      const response = await site.ask({ target }, path);
      assert.equal(response.status, 404, target);
    }
  });

  it('show nothing but what is below the root, whatever they are made of', async (test) => {
    const site = siteWithSecret(test);
    const piece = fc.constantFrom(
      '..',
      '.',
      '/',
      '//',
      '\\',
      'sub',
      'outside',
      'secret.txt',
      '%2e',
      '\0',
      '.env',
      '.git',
      'root',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        const response = await site.ask('/x', `/${pieces.join('')}`);
        assert.ok(!response.responseBody.includes(secret), pieces.join(''));
      }),
      { numRuns: 300 },
    );
  });

  it('find no dotfile but .well-known', async (test) => {
    const site = siteWithSecret(test);
    for (const path of ['/.env', '/.git/config', '/.git/', '/.git', '/sub/.htpasswd', '/.well-known/.hidden', '/.']) {
      assert.equal((await site.ask(path)).status, 404, path);
    }
    assert.equal((await site.ask('/.well-known/security.txt')).responseBody.toString(), 'contact');
  });
});

describe('hostile things in the root', () => {
  it('find nothing through links that leave the root', async (test) => {
    const site = siteWithSecret(test, { config: { listing: true } });
    mkdirSync(join(site.outside, 'site'));
    writeFileSync(join(site.outside, 'site', 'index.html'), secret);
    symlinkSync(join(site.outside, 'secret.txt'), join(site.root, 'file'));
    symlinkSync('../outside', join(site.root, 'folder'));
    symlinkSync('folder', join(site.root, 'twice'));
    symlinkSync('loop', join(site.root, 'loop'));
    symlinkSync('/', join(site.root, 'everything'));
    symlinkSync(join(site.outside, 'secret.txt'), join(site.root, 'a.txt.gz'));
    for (const path of [
      '/file',
      '/folder/secret.txt',
      '/folder',
      '/folder/',
      '/folder/site/',
      '/folder/site',
      '/twice/secret.txt',
      '/loop',
      '/everything/etc/passwd',
      '/everything',
    ]) {
      const response = await site.ask(path);
      assert.equal(response.status, 404, path);
    }
    const compressed = await site.ask({ target: '/a.txt', fields: { 'Accept-Encoding': 'gzip' } });
    assert.equal(compressed.responseBody.toString(), 'public');
  });

  it('find nothing in a folder beside the root whose name begins alike', async (test) => {
    const site = siteWithSecret(test);
    mkdirSync(`${site.root}-private`);
    writeFileSync(join(`${site.root}-private`, 'x.txt'), secret);
    symlinkSync(`${site.root}-private`, join(site.root, 'link'));
    assert.equal((await site.ask('/link/x.txt')).status, 404);
  });

  it('find nothing when a folder becomes a link out of the root between the check and the opening', async (test) => {
    const disk = new FailingDisk();
    const site = siteWithSecret(test, { disk });
    site.write('dir/secret.txt', 'public');
    writeFileSync(join(site.outside, 'secret.txt'), secret);
    disk.beforeOpen = () => {
      disk.beforeOpen = undefined;
      renameSync(join(site.root, 'dir'), join(site.root, 'moved'));
      symlinkSync('../outside', join(site.root, 'dir'));
    };
    const response = await site.ask('/dir/secret.txt');
    assert.ok(!response.responseBody.includes(secret));
    assert.equal(response.status, 404);
    assert.equal(disk.openFiles.size, 0);
  });

  it('never open FIFOs, sockets and devices', async (test) => {
    const disk = new FailingDisk();
    const site = siteWithSecret(test, { disk, config: { listing: true } });
    execFileSync('mkfifo', [join(site.root, 'pipe'), join(site.root, 'a.txt.br')]);
    symlinkSync('/dev/zero', join(site.root, 'zero'));
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(site.root, 'socket'), resolve));
    test.after(() => server.close());
    for (const path of ['/pipe', '/socket', '/zero']) assert.equal((await site.ask(path)).status, 404, path);
    assert.equal(disk.calls.open, 0);
    const compressed = await site.ask({ target: '/a.txt', fields: { 'Accept-Encoding': 'br' } });
    assert.equal(compressed.responseBody.toString(), 'public');
    const listing = (await site.ask('/')).responseBody.toString();
    assert.ok(listing.includes('a.txt'));
    assert.ok(!/pipe|socket|zero|\.env|\.git/.test(listing));
  });

  it('meet a FIFO that takes the place of a file without hanging', async (test) => {
    const disk = new FailingDisk();
    const site = siteWithSecret(test, { disk });
    disk.beforeOpen = () => {
      disk.beforeOpen = undefined;
      rmSync(join(site.root, 'a.txt'));
      execFileSync('mkfifo', [join(site.root, 'a.txt')]);
    };
    assert.equal((await site.ask('/a.txt')).status, 404);
  });
});

describe('a disk that fails', () => {
  for (const [operation, code] of [
    ['stat', 'EACCES'],
    ['stat', 'EIO'],
    ['open', 'EACCES'],
    ['open', 'EMFILE'],
    ['open', 'ENFILE'],
    ['realPath', 'EACCES'],
  ] as const) {
    it(`is a 500 for ${code} on ${operation}, once`, async (test) => {
      const disk = new FailingDisk();
      const site = siteWithSecret(test, { disk, revalidateMs: 60_000 });
      disk.fail(operation, 'a.txt', code);
      const response = await site.ask('/a.txt');
      assert.equal(response.status, 500);
      assert.equal(response.context?.error?.code, 'file_unreadable');
      disk.heal();
      assert.equal((await site.ask('/a.txt')).status, 200);
      assert.equal(disk.openFiles.size, 0);
    });
  }

  it('is a 500 when reading fails, for small files and large ones', async (test) => {
    const disk = new FailingDisk();
    const site = siteWithSecret(test, { disk, maxFileBytes: 100 });
    site.write('large.bin', Buffer.alloc(1000));
    disk.readsFail = 'EIO';
    for (const path of ['/a.txt', '/large.bin']) {
      const response = await site.ask(path);
      assert.equal(response.status, 500, path);
      assert.equal(response.context?.error?.code, 'file_unreadable');
    }
    assert.equal(disk.openFiles.size, 0);
    assert.equal(site.buffers.lent, 0);
  });

  it('costs a compressed sibling only when that cannot be read', async (test) => {
    const disk = new FailingDisk();
    const site = siteWithSecret(test, { disk, revalidateMs: 60_000 });
    site.write('a.txt.gz', 'compressed');
    disk.fail('open', '.gz', 'EACCES');
    for (let round = 0; round < 2; round++) {
      const response = await site.ask({ target: '/a.txt', fields: { 'Accept-Encoding': 'gzip' } });
      assert.equal(response.status, 200);
      assert.equal(response.responseBody.toString(), 'public');
    }
  });
});
