import assert from 'node:assert/strict';
import { Agent, get } from 'node:http';
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
import { freePort } from '../support/free-port.ts';
import { administrator, gunicornMissing } from '../support/gunicorn.ts';
import { factsOfMegabytes } from '../support/large-content.ts';
import { MemoryWatch } from '../support/memory-watch.ts';
import { waitFor } from '../support/wait-for.ts';

/* examples/django as its README says: two Gunicorns over TCP behind Portico. */

const skip = gunicornMissing() ?? false;
const largeMegabytes = 200;
const memoryLimit = 150 * 1024 ** 2;
let deployment: DjangoDeployment;

before(async () => {
  if (skip) return;
  deployment = await deployDjango('portico.yaml', async () => [
    ['http://127.0.0.1:8000', await freePort()],
    ['http://127.0.0.1:8001', await freePort()],
  ]);
});
after(() => deployment?.close());

test('an administrator signs in to the admin, with CSRF token and cookies', { skip }, async () => {
  const session = new BrowserSession(deployment.origin);
  const refused = await session.get('/admin/');
  assert.equal(refused.status, 302);
  assert.match(refused.headers.get('location') ?? '', /^\/admin\/login\/\?next=\/admin\/$/);
  await signIn(session);
  const index = await session.get('/admin/');
  assert.equal(index.status, 200);
  assert.match(await index.text(), /Site administration/);
});

test('a form without its CSRF token is refused by Django, not by Portico', { skip }, async () => {
  const session = new BrowserSession(deployment.origin);
  await session.get('/admin/login/');
  const answer = await session.post('/admin/login/', { ...administrator, csrfmiddlewaretoken: 'forged' });
  assert.equal(answer.status, 403);
  assert.match(await answer.text(), /CSRF/);
});

test('redirects keep the host and the port that the browser used', { skip }, async () => {
  const session = new BrowserSession(deployment.origin.replace('127.0.0.1', 'localhost'));
  await signIn(session);
  await session.get('/notes/');
  const answer = await session.post('/notes/', { text: 'written through Portico' });
  assert.equal(answer.status, 302);
  assert.equal(answer.headers.get('location'), `${session.origin}/notes/`);
  assert.match(await (await session.get('/notes/')).text(), /written through Portico/);
});

test('Django learns the real client, scheme and host, whatever the client claims', { skip }, async () => {
  const session = new BrowserSession(deployment.origin);
  const answer = await session.get('/whoami/', {
    'X-Forwarded-For': '203.0.113.9',
    'X-Forwarded-Proto': 'https',
    'X-Forwarded-Host': 'evil.example',
    'X-Real-IP': '203.0.113.9',
    Remote_Addr: '203.0.113.9',
  });
  const seen = (await answer.json()) as { host: string; scheme: string; headers: Record<string, string> };
  assert.equal(seen.host, deployment.origin.slice('http://'.length));
  assert.equal(seen.scheme, 'http');
  assert.equal(seen.headers['X-Forwarded-For'], '127.0.0.1');
  assert.equal(seen.headers['X-Real-Ip'], '127.0.0.1');
  assert.equal(seen.headers['X-Forwarded-Proto'], 'http');
  assert.ok(!JSON.stringify(seen).includes('203.0.113.9'));
  assert.ok(!JSON.stringify(seen).includes('evil.example'));
});

test('static files are served for a year and never reach Gunicorn', { skip }, async () => {
  const session = new BrowserSession(deployment.origin);
  const pages = [await session.get('/'), await session.get('/admin/login/')];
  const paths = new Set((await Promise.all(pages.map((page) => page.text()))).flatMap(staticPathsIn));
  assert.ok(paths.size >= 4, `found ${[...paths].join(', ')}`);
  for (const path of paths) {
    const file = await session.get(path);
    assert.equal(file.status, 200, path);
    assert.match(path, /\.[0-9a-f]{12}\.\w+$/);
    assert.match(file.headers.get('cache-control') ?? '', /immutable/, path);
  }
  assert.equal((await session.get('/static/no-such-file.css')).status, 404);
  const marker = '/whoami/?after-static-files';
  await session.get(marker);
  const reached = (): string[] => deployment.gunicorns.flatMap((gunicorn) => gunicorn.accessLog());
  await waitFor(() => reached().some((line) => line.includes(marker)), 'the log of the last request');
  assert.deepEqual(
    reached().filter((line) => line.includes('/static/')),
    [],
  );
});

test('a streamed page arrives line by line', { skip }, async () => {
  const response = await fetch(`${deployment.origin}/stream/?lines=3&pause=400`);
  const chunks: string[] = [];
  assert.ok(response.body);
  for await (const chunk of response.body) chunks.push(Buffer.from(chunk).toString());
  assert.equal(chunks.join(''), 'line 1 of 3\nline 2 of 3\nline 3 of 3\n');
  assert.equal(chunks[0]?.includes('line 3'), false, 'the first piece holds the last line');
});

test(`an upload and downloads of ${largeMegabytes} MB arrive unchanged, with workers under 150 MB`, {
  skip,
}, async () => {
  const watch = new MemoryWatch(() => deployment.portico.workerPids());
  const expected = factsOfMegabytes(largeMegabytes);
  const { url, ...uploaded } = await uploadLargeFile(deployment, largeMegabytes);
  assert.deepEqual(uploaded, expected);
  assert.deepEqual(await download(`${deployment.origin}/download/?megabytes=${largeMegabytes}`), expected);
  assert.deepEqual(await download(`${deployment.origin}${url}`), expected, 'the uploaded file, served from disk');
  watch.stop();
  assert.ok(watch.peak > 0 && watch.peak < memoryLimit, `a worker held ${Math.round(watch.peak / 1024 ** 2)} MB`);
});

test('both instances get the same share of the requests', { skip }, async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const answers = await Promise.all(Array.from({ length: 200 }, () => ask(`${deployment.origin}/whoami/`, agent)));
  agent.destroy();
  const first = answers.filter((answer) => answer.includes('"instance-1"')).length;
  const second = answers.filter((answer) => answer.includes('"instance-2"')).length;
  assert.equal(first + second, 200);
  assert.ok(Math.abs(first - second) <= 20, `${first} and ${second} requests`);
});

test('an instance killed under load costs no failed GET', { skip }, async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const answers: string[] = [];
  const [victim, survivor] = deployment.gunicorns;
  const client = async (): Promise<void> => {
    while (answers.length < 900) {
      if (answers.length === 300) victim?.kill();
      answers.push(await ask(`${deployment.origin}/whoami/`, agent));
    }
  };
  await Promise.all(Array.from({ length: 8 }, client));
  agent.destroy();
  assert.deepEqual(
    answers.filter((answer) => !answer.startsWith('200 ')),
    [],
  );
  assert.ok(
    answers.slice(0, 300).some((answer) => answer.includes('"instance-1"')),
    'the victim took part before',
  );
  const last = answers.slice(-100);
  assert.equal(last.filter((answer) => answer.includes(`"${survivor?.name}"`)).length, last.length);
});

/** One GET over the agent's connections; gives status and body, or the error. */
function ask(url: string, agent: Agent): Promise<string> {
  return new Promise((resolve) => {
    const request = get(url, { agent });
    request.on('error', (error) => resolve(`error: ${error.message}`));
    request.on('response', (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('error', (error) => resolve(`error: ${error.message}`));
      response.on('end', () => resolve(`${response.statusCode} ${text}`));
    });
  });
}
