import assert from 'node:assert/strict';
import { appendFileSync, createWriteStream } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { BrowserSession } from '../support/browser-session.ts';
import { type DjangoDeployment, deployDjango, signIn } from '../support/django-deployment.ts';
import { freePort } from '../support/free-port.ts';
import { gunicornMissing } from '../support/gunicorn.ts';
import { factsOf, factsOfMegabytes, megabyte } from '../support/large-content.ts';
import { waitFor } from '../support/wait-for.ts';

/* Protected downloads of examples/django: Gunicorn with one sync worker decides, Portico sends. */

const skip = gunicornMissing() ?? false;
const megabytes = 50;
let deployment: DjangoDeployment;
let session: BrowserSession;

before(async () => {
  if (skip) return;
  deployment = await deployDjango('portico.yaml', async (folder) => {
    // One request at a time each: whoever holds a worker holds everybody up.
    appendFileSync(join(folder, 'gunicorn.conf.py'), '\nworker_class = "sync"\n');
    return [
      ['http://127.0.0.1:8000', await freePort()],
      ['http://127.0.0.1:8001', await freePort()],
    ];
  });
  const file = createWriteStream(join(deployment.folder, 'protected', 'large.bin'));
  for (let number = 0; number < megabytes; number++) file.write(megabyte(number));
  await new Promise((resolve) => file.end(resolve));
  session = new BrowserSession(deployment.origin);
  await signIn(session);
});
after(() => deployment?.close());

/** A response whose body is not read yet. */
function open(path: string, headers: Readonly<Record<string, string>> = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = get(`${deployment.origin}${path}`, { headers: { ...headers, cookie: session.cookieHeader() } });
    request.on('error', reject);
    request.on('response', resolve);
  });
}

function logged(text: string): string[] {
  return deployment.gunicorns.flatMap((gunicorn) => gunicorn.accessLog()).filter((line) => line.includes(text));
}

test('a file of 50 MB comes whole, with what Django says of it', { skip }, async () => {
  const response = await session.get('/documents/large.bin');
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-disposition'), "attachment; filename*=UTF-8''large.bin");
  assert.equal(response.headers.get('cache-control'), 'private, no-cache');
  assert.equal(response.headers.get('content-type'), 'application/octet-stream');
  assert.equal(response.headers.get('x-accel-redirect'), null);
  assert.ok(response.body);
  assert.deepEqual(await factsOf(response.body), factsOfMegabytes(megabytes));
});

test('whoever is not signed in gets no byte, and there is no way around Django', { skip }, async () => {
  const stranger = new BrowserSession(deployment.origin);
  const answer = await stranger.get('/documents/large.bin');
  assert.equal(answer.status, 302);
  assert.match(answer.headers.get('location') ?? '', /^\/login\//);
  assert.equal((await session.get('/protected/large.bin')).status, 404);
  assert.equal((await session.get('/documents/..%2f..%2fmanage.py')).status, 400);
  assert.equal((await session.get('/documents/none.bin')).status, 404);
});

test('a download that broke off goes on where it ended', { skip }, async () => {
  const first = await open('/documents/large.bin');
  const { etag } = first.headers;
  assert.ok(etag);
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const chunk of first as AsyncIterable<Buffer>) {
    pieces.push(chunk);
    length += chunk.length;
    if (length > 10_000_000) break;
  }
  first.destroy();
  const rest = await open('/documents/large.bin', { range: `bytes=${length}-`, 'if-range': etag });
  assert.equal(rest.statusCode, 206);
  assert.equal(rest.headers['content-range'], `bytes ${length}-${megabytes * 1024 ** 2 - 1}/${megabytes * 1024 ** 2}`);
  for await (const chunk of rest as AsyncIterable<Buffer>) pieces.push(chunk);
  const whole = Buffer.concat(pieces);
  for (let number = 0; number < megabytes; number++) {
    assert.ok(
      whole.subarray(number * 1024 ** 2, (number + 1) * 1024 ** 2).equals(megabyte(number)),
      `megabyte ${number}`,
    );
  }
});

test('Gunicorn is free while clients still read', { skip }, async (context) => {
  const query = '?who=slow';
  const slow = await Promise.all(Array.from({ length: 6 }, () => open(`/documents/large.bin${query}`)));
  // The log of a request is written when it is over.
  await waitFor(() => logged(query).length === slow.length, 'Gunicorn to have done its part');
  assert.equal((await session.get('/whoami/')).status, 200);
  for (const line of logged(query)) {
    const [, status, bytes, milliseconds] = /" (\d+) (\S+) (\d+)ms /.exec(line) ?? [];
    assert.equal(status, '200');
    assert.ok(bytes === '0' || bytes === '-', line);
    assert.ok(Number(milliseconds) < 5000, line);
    context.diagnostic(`Gunicorn worked for ${milliseconds} ms`);
  }
  for (const response of slow) {
    assert.ok(!response.complete);
    response.destroy();
  }
});
