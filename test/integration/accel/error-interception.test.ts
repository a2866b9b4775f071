import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { answering, type DirectedOptions, DirectedWorker } from '../../support/directed-worker.ts';
import { RawClient } from '../../support/raw-client.ts';
import type { OriginScript } from '../../support/scripted-origin.ts';

const browser = 'Accept: text/html\r\n';

/** The status stands in the path: `/404`. */
const asAsked: OriginScript = (socket, { head }) => {
  const status = /^\S+ \/(\d+)/.exec(head)?.[1] ?? '200';
  const lines = [
    'Content-Type: application/json',
    'WWW-Authenticate: Basic',
    'Set-Cookie: s=1',
    'ETag: "x"',
    'Retry-After: 7',
  ];
  const text = answering(lines, '{"own":true}', `${status} Whatever`);
  socket.write(head.startsWith('HEAD') ? text.slice(0, text.indexOf('\r\n\r\n') + 4) : text);
};

async function start(context: Parameters<typeof DirectedWorker.start>[0], options: DirectedOptions, script = asAsked) {
  const site = await DirectedWorker.start(context, script, { directives: '{}' });
  for (const name of ['404.html', '5xx.html', 'down.html']) writeFileSync(join(site.folder, name), `page ${name}`);
  await site.worker.reload(site.yaml({ directives: '{}', ...options }));
  return site;
}

const pages = ['errorPages: { 404: ./404.html, 5xx: ./5xx.html, maintenance: ./down.html }'];

test('the pages of the site stand in the place of what the application says, with its status', async (context) => {
  const site = await start(context, { site: pages, proxy: 'interceptErrors: true' });
  const missing = await site.ask('/404', browser);
  assert.equal(missing.status, 404);
  assert.equal(missing.body.toString(), 'page 404.html');
  assert.equal(missing.field('content-type'), 'text/html; charset=utf-8');
  assert.equal(missing.field('set-cookie'), 's=1');
  assert.equal(missing.field('retry-after'), '7');
  assert.equal(missing.field('etag'), undefined);
  assert.equal((await site.ask('/503', browser)).body.toString(), 'page 5xx.html');
  const head = await site.ask('/404', browser, 'HEAD');
  assert.equal(head.field('content-length'), String('page 404.html'.length));
  const denied = await site.ask('/401', browser);
  assert.equal(denied.body.toString(), '{"own":true}', 'there is no page for 401');
});

test('clients that ask for JSON get what the application says', async (context) => {
  const site = await start(context, { site: pages, proxy: 'interceptErrors: true' });
  const response = await site.ask('/404', 'Accept: application/json\r\n');
  assert.equal(response.status, 404);
  assert.equal(response.body.toString(), '{"own":true}');
});

test('a list names the statuses', async (context) => {
  const site = await start(context, { site: pages, proxy: 'interceptErrors: [5xx]' });
  assert.equal((await site.ask('/404', browser)).body.toString(), '{"own":true}');
  assert.equal((await site.ask('/500', browser)).body.toString(), 'page 5xx.html');
});

test('without the option the application speaks for itself', async (context) => {
  const site = await start(context, { site: pages });
  assert.equal((await site.ask('/404', browser)).body.toString(), '{"own":true}');
  assert.equal((await site.ask('/200', browser)).status, 200);
});

test('a page comes before a file that the error response names', async (context) => {
  const script: OriginScript = (socket) =>
    socket.write(answering(['X-Accel-Redirect: /protected/a.txt'], 'own', '404 Not Found'));
  const site = await start(
    context,
    { site: pages, proxy: 'interceptErrors: true', directives: '{ redirect: true }' },
    script,
  );
  site.write('a.txt', 'protected');
  assert.equal((await site.ask('/', browser)).body.toString(), 'page 404.html');
});

test('a large or endless error is dropped, and the next request answered on the same client connection', async (context) => {
  const script: OriginScript = (socket) => {
    socket.write('HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n');
    const timer = setInterval(() => socket.write(`7530\r\n${'x'.repeat(30_000)}\r\n`), 5);
    socket.on('close', () => clearInterval(timer));
  };
  const site = await start(context, { site: pages, proxy: 'interceptErrors: true' }, script);
  const client = await RawClient.connect(site.worker.port);
  for (let turn = 0; turn < 3; turn++) {
    client.send(`GET / HTTP/1.1\r\nHost: example.com\r\n${browser}\r\n`);
    assert.equal((await client.response()).body.toString(), 'page 5xx.html');
  }
  client.destroy();
});

test('pages are read again at reload', async (context) => {
  const options: DirectedOptions = { site: pages, proxy: 'interceptErrors: true' };
  const site = await start(context, options);
  writeFileSync(join(site.folder, '404.html'), 'another page');
  assert.equal((await site.ask('/404', browser)).body.toString(), 'page 404.html');
  await site.worker.reload(site.yaml({ directives: '{}', ...options }));
  assert.equal((await site.ask('/404', browser)).body.toString(), 'another page');
});

test('the page for maintenance is sent while every server is in maintenance', async (context) => {
  const site = await start(context, { site: pages });
  const yaml = site.yaml({ directives: '{}', site: pages });
  const url = `http://127.0.0.1:${site.origin.port}`;
  await site.worker.reload(yaml.replace(`["${url}"]`, `[{ url: "${url}", state: maintenance }]`));
  const page = await site.ask('/', browser);
  assert.equal(page.status, 503);
  assert.equal(page.body.toString(), 'page down.html');
  assert.match(page.field('retry-after') ?? '', /^[1-9]\d*$/);
  assert.equal(page.field('cache-control'), 'no-store');
  const head = await site.ask('/', browser, 'HEAD');
  assert.equal(head.field('content-length'), String('page down.html'.length));
  const program = await site.ask('/', 'Accept: application/json\r\n');
  assert.match(program.body.toString(), /"code":"upstream_maintenance"/);
  assert.equal(site.origin.requests.length, 0);
  await site.worker.reload(yaml);
  assert.equal((await site.ask('/200', browser)).status, 200);
});
