import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { moveConfiguration } from '../support/example-copy.ts';
import { freePort } from '../support/free-port.ts';
import { PorticoProcess } from '../support/portico-process.ts';

const example = fileURLToPath(new URL('../../examples/static-site', import.meta.url));
let folder: string;
let origin: string;
let portico: PorticoProcess | undefined;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portico-static-site-'));
  await cp(example, folder, { recursive: true });
  const [port, adminPort] = [await freePort(), await freePort()];
  await moveConfiguration(join(folder, 'portico.yaml'), {
    '0.0.0.0:8080': `127.0.0.1:${port}`,
    '127.0.0.1:9180': `127.0.0.1:${adminPort}`,
  });
  portico = await PorticoProcess.serve(join(folder, 'portico.yaml'), adminPort);
  origin = `http://127.0.0.1:${port}`;
});
after(async () => {
  await portico?.stop();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

test('any path that is no file is answered with the page of the application', async () => {
  const page = await fetch(`${origin}/orders/42`);
  assert.equal(page.status, 200);
  assert.equal(page.headers.get('cache-control'), 'no-cache');
  assert.equal(page.headers.get('content-security-policy'), "default-src 'self'");
  assert.equal(await page.text(), await (await fetch(`${origin}/`)).text());
});

test('build output with a hash in its name is immutable, other files have the age that the pattern gives', async () => {
  const script = await fetch(`${origin}/assets/app-BwX3k9Qa.js`);
  assert.equal(script.status, 200);
  assert.match(script.headers.get('content-type') ?? '', /^text\/javascript/);
  assert.match(script.headers.get('cache-control') ?? '', /max-age=31536000.*immutable/);
  assert.equal((await fetch(`${origin}/icon.svg`)).headers.get('cache-control'), 'max-age=3600');
});

test('a missing script is a 404 with the error page of the site', async () => {
  const missing = await fetch(`${origin}/assets/app-gone1234.js`);
  assert.equal(missing.status, 404);
  assert.match(await missing.text(), /There is nothing at this address/);
});

test('documents are listed as HTML or JSON, and old links lead to them', async () => {
  assert.match(await (await fetch(`${origin}/docs/`)).text(), /guide\.html/);
  const list = await fetch(`${origin}/docs/`, { headers: { accept: 'application/json' } });
  assert.match(list.headers.get('content-type') ?? '', /^application\/json/);
  assert.match(await list.text(), /"notes\.txt"/);
  const old = await fetch(`${origin}/old-docs/guide.html?page=2`, { redirect: 'manual' });
  assert.equal(old.status, 301);
  assert.equal(old.headers.get('location'), '/docs/guide.html?page=2');
  assert.match(await (await fetch(`${origin}/old-docs/guide.html`)).text(), /Guide/);
});
