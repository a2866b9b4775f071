import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answering, DirectedWorker } from '../../support/directed-worker.ts';
import { RawClient } from '../../support/raw-client.ts';
import { waitFor } from '../../support/wait-for.ts';

const report = ['X-Accel-Redirect: /protected/report.pdf'];

test('the file that the application names is sent in the place of its response', async (context) => {
  const site = await DirectedWorker.start(context, answering(report, 'never shown'));
  site.write('report.pdf', 'the report');
  const response = await site.ask('/download/7');
  assert.equal(response.status, 200);
  assert.equal(response.body.toString(), 'the report');
  assert.equal(response.field('content-type'), 'application/pdf');
  assert.equal(response.field('x-accel-redirect'), undefined);
  assert.equal(response.field('accept-ranges'), 'bytes');
  assert.ok(response.field('etag'));
});

test('the application says type, name, cookies and lifetime; the file says when it changed', async (context) => {
  const site = await DirectedWorker.start(
    context,
    answering([
      ...report,
      'Content-Type: application/x-report',
      'Content-Disposition: attachment; filename="a.pdf"',
      'Cache-Control: private, max-age=5',
      'Set-Cookie: a=1',
      'Set-Cookie: b=2',
      'Last-Modified: Thu, 01 Jan 1970 00:00:00 GMT',
      'ETag: "of the application"',
      'Content-Encoding: gzip',
      'X-Other: dropped',
    ]),
  );
  site.write('report.pdf', 'the report');
  const response = await site.ask();
  assert.equal(response.field('content-type'), 'application/x-report');
  assert.equal(response.field('content-disposition'), 'attachment; filename="a.pdf"');
  assert.equal(response.field('cache-control'), 'private, max-age=5');
  assert.deepEqual(
    response.fields.filter(([name]) => name.toLowerCase() === 'set-cookie').map(([, value]) => value),
    ['a=1', 'b=2'],
  );
  assert.notEqual(response.field('last-modified'), 'Thu, 01 Jan 1970 00:00:00 GMT');
  assert.notEqual(response.field('etag'), '"of the application"');
  assert.equal(response.field('content-encoding'), undefined);
  assert.equal(response.field('x-other'), undefined);
});

test('a file with a hash in its name is not given to shared caches for a year', async (context) => {
  const site = await DirectedWorker.start(context, answering(['X-Accel-Redirect: /protected/app.55e7cbb9ba48.css']));
  site.write('app.55e7cbb9ba48.css', 'a {}');
  const response = await site.ask();
  assert.equal(response.status, 200);
  assert.equal(response.field('cache-control'), undefined);
});

test('ranges and conditions are those of the file', async (context) => {
  const site = await DirectedWorker.start(context, answering([...report, 'Content-Type: text/x-own']));
  site.write('report.pdf', '0123456789');
  const part = await site.ask('/', 'Range: bytes=2-4\r\n');
  assert.equal(part.status, 206);
  assert.equal(part.body.toString(), '234');
  assert.equal(part.field('content-range'), 'bytes 2-4/10');
  assert.equal(part.field('content-type'), 'text/x-own');
  const etag = part.field('etag') ?? '';
  const same = await site.ask('/', `If-None-Match: ${etag}\r\n`);
  assert.equal(same.status, 304);
  assert.equal(same.field('content-type'), undefined);
  const resumed = await site.ask('/', `Range: bytes=8-\r\nIf-Range: ${etag}\r\n`);
  assert.equal(resumed.body.toString(), '89');
  const whole = await site.ask('/', 'Range: bytes=8-\r\nIf-Range: "another"\r\n');
  assert.equal(whole.status, 200);
  const beyond = await site.ask('/', 'Range: bytes=10-\r\n');
  assert.equal(beyond.status, 416);
  assert.equal(beyond.field('content-range'), 'bytes */10');
});

test('several ranges carry the type of the application in each part', async (context) => {
  const site = await DirectedWorker.start(context, answering([...report, 'Content-Type: text/x-own']));
  site.write('report.pdf', '0'.repeat(10_000));
  const response = await site.ask('/', 'Range: bytes=0-1,9000-9001\r\n');
  assert.equal(response.status, 206);
  assert.match(response.field('content-type') ?? '', /^multipart\/byteranges; boundary=/);
  assert.equal(response.body.toString().match(/Content-Type: text\/x-own/g)?.length, 2);
});

test('HEAD tells the length of the file', async (context) => {
  const site = await DirectedWorker.start(context, (socket) =>
    socket.write(`HTTP/1.1 200 OK\r\n${report.join('')}\r\n\r\n`),
  );
  site.write('report.pdf', '0123456789');
  const response = await site.ask('/', '', 'HEAD');
  assert.equal(response.status, 200);
  assert.equal(response.field('content-length'), '10');
});

test('a POST may be answered with a file', async (context) => {
  const site = await DirectedWorker.start(context, answering(report));
  site.write('report.pdf', 'the report');
  const client = await RawClient.connect(site.worker.port);
  client.send('POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 5\r\nContent-Type: text/x-form\r\n\r\nhello');
  assert.equal((await client.response()).body.toString(), 'the report');
  assert.equal(site.origin.requests[0]?.body.toString(), 'hello');
  client.destroy();
});

test('paths are percent-decoded, bytes that are not encoded are taken as they are', async (context) => {
  const names = [
    'a%20b.txt',
    'a b.txt',
    'gr%C3%BCn.txt',
    Buffer.from('grün.txt').toString('latin1'),
    'q%3Fmark.txt?x=1',
  ];
  const site = await DirectedWorker.start(context, (socket, { index }) =>
    socket.write(answering([`X-Accel-Redirect: /protected/${names[index]}`]), 'latin1'),
  );
  for (const name of ['a b.txt', 'grün.txt', 'q?mark.txt']) site.write(name, name);
  const client = await RawClient.connect(site.worker.port);
  for (const expected of ['a b.txt', 'a b.txt', 'grün.txt', 'grün.txt', 'q?mark.txt']) {
    client.send('GET / HTTP/1.1\r\nHost: example.com\r\n\r\n');
    assert.equal((await client.response()).body.toString(), expected);
  }
  client.destroy();
});

test('the connection of the application is used again, and before the client has taken the file', async (context) => {
  const site = await DirectedWorker.start(context, (socket, { head }) =>
    socket.write(head.startsWith('GET /free') ? answering([], 'free') : answering(report, 'a body that is dropped')),
  );
  site.write('report.pdf', Buffer.alloc(20 * 1024 ** 2));
  const slow = await RawClient.connect(site.worker.port);
  slow.pause();
  slow.send('GET / HTTP/1.1\r\nHost: example.com\r\n\r\n');
  await waitFor(() => site.origin.requests.length === 1, 'the request at the origin');
  await waitFor(async () => (await site.ask('/free')).body.toString() === 'free', 'another answer');
  assert.equal(site.origin.connections, 1);
  slow.resume();
  assert.equal((await slow.response()).body.length, 20 * 1024 ** 2);
  slow.destroy();
});

test('a redirect may lead to another upstream, with a query and with what the application says', async (context) => {
  const site = await DirectedWorker.start(
    context,
    (socket, { head }) =>
      socket.write(
        head.startsWith('GET /store/')
          ? answering(['Content-Type: text/plain', 'Content-Disposition: inline', 'Set-Cookie: s=1'], head)
          : answering(['X-Accel-Redirect: /store/a b?x=1&y= 2', 'Content-Disposition: attachment', 'Set-Cookie: a=1']),
      ),
    { routes: ['{ path: /store/, internal: true, proxy: { upstream: app } }'] },
  );
  const response = await site.ask('/download', 'Cookie: own=1\r\n');
  assert.match(response.body.toString(), /^GET \/store\/a%20b\?x=1&y=%202 HTTP\/1\.1\r\n/);
  assert.equal(response.field('content-disposition'), 'attachment');
  const cookies = response.fields.filter(([name]) => name.toLowerCase() === 'set-cookie').map(([, value]) => value);
  assert.deepEqual(cookies.toSorted(), ['a=1', 's=1']);
});

test('a folder is answered by its index, not by a redirect to where the client may not go', async (context) => {
  const site = await DirectedWorker.start(context, answering(['X-Accel-Redirect: /protected/album']));
  site.write('album/index.html', 'the album');
  const response = await site.ask();
  assert.equal(response.status, 200);
  assert.equal(response.body.toString(), 'the album');
});

test('a file that is missing is an error of its own: nothing of the name or the lifetime stays', async (context) => {
  const missing = await DirectedWorker.start(
    context,
    answering([...report, 'Content-Disposition: attachment', 'Set-Cookie: kept=1', 'Cache-Control: max-age=9']),
  );
  const response = await missing.ask();
  assert.equal(response.status, 404);
  assert.equal(response.field('cache-control'), 'no-store');
  assert.equal(response.field('set-cookie'), 'kept=1');
  assert.equal(response.field('content-disposition'), undefined);
});

test('a reload changes whether the application is obeyed', async (context) => {
  const site = await DirectedWorker.start(context, answering(report, 'own body'));
  site.write('report.pdf', 'the report');
  assert.equal((await site.ask()).body.toString(), 'the report');
  await site.worker.reload(site.yaml({ directives: '{}' }));
  assert.equal((await site.ask()).body.toString(), 'own body');
  await site.worker.reload(site.yaml({}));
  assert.equal((await site.ask()).body.toString(), 'the report');
});
