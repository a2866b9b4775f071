import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { BrowserSession } from '../support/browser-session.ts';
import {
  type DjangoDeployment,
  deployDjango,
  download,
  signIn,
  staticPathsIn,
  uploadLargeFile,
} from '../support/django-deployment.ts';
import { gunicornMissing } from '../support/gunicorn.ts';
import { factsOfMegabytes } from '../support/large-content.ts';

/* examples/django over a Unix socket. */

const skip = gunicornMissing() ?? false;
let deployment: DjangoDeployment;

before(async () => {
  if (skip) return;
  deployment = await deployDjango('portico.unix.yaml', async (folder) => [
    ['unix:./run/gunicorn.sock', join(folder, 'run', 'gunicorn.sock')],
  ]);
});
after(() => deployment?.close());

test('pages, sign-in, static files and a large transfer work as over TCP', { skip }, async () => {
  const session = new BrowserSession(deployment.origin);
  await signIn(session);
  assert.match(await (await session.get('/admin/')).text(), /Site administration/);
  for (const path of staticPathsIn(await (await session.get('/')).text())) {
    assert.equal((await session.get(path)).status, 200, path);
  }
  const expected = factsOfMegabytes(20);
  const { url, ...uploaded } = await uploadLargeFile(deployment, 20);
  assert.deepEqual(uploaded, expected);
  assert.deepEqual(await download(`${deployment.origin}${url}`), expected);
  assert.deepEqual(await download(`${deployment.origin}/download/?megabytes=20`), expected);
  const log = deployment.gunicorns[0]?.accessLog() ?? [];
  assert.deepEqual(
    log.filter((line) => line.includes('/static/')),
    [],
  );
});

test('Django sees scheme and host of the browser, not of the socket', { skip }, async () => {
  const answer = await new BrowserSession(deployment.origin).get('/whoami/', { 'X-Forwarded-Proto': 'https' });
  const seen = (await answer.json()) as { host: string; scheme: string };
  assert.equal(seen.host, deployment.origin.slice('http://'.length));
  assert.equal(seen.scheme, 'http');
});
