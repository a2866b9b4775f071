import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type InProcessWorker, startInProcessWorker } from '../../support/in-process-worker.ts';
import { type OriginScript, ScriptedOrigin } from '../../support/scripted-origin.ts';
import { waitFor } from '../../support/wait-for.ts';

const passes =
  'HTTP/1.1 200 OK\r\nX-Auth-User: alice\r\nX-Auth-Groups: a\r\nX-Auth-Groups: b\r\nSet-Cookie: session=new\r\nX-Inner: secret\r\nContent-Length: 2\r\n\r\nok';
const toLogin =
  'HTTP/1.1 302 Found\r\nLocation: https://login.example/\r\nSet-Cookie: state=1\r\nX-Accel-Redirect: /secret\r\nContent-Length: 7\r\n\r\nsign in';

describe('forward authentication', () => {
  let service: ScriptedOrigin;
  let origin: ScriptedOrigin;
  let worker: InProcessWorker;
  let script: OriginScript = (socket) => socket.write(passes);

  before(async () => {
    service = await ScriptedOrigin.start((socket, request) => script(socket, request));
    origin = await ScriptedOrigin.answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nin');
    const url = `http://127.0.0.1:${service.port}/verify?for=portico`;
    const forward = `url: "${url}", copyHeaders: [X-Auth-User, X-Auth-Groups], clientHeaders: [Set-Cookie], timeout: 300ms`;
    worker = await startInProcessWorker(`
upstreams: { app: { servers: ["127.0.0.1:${origin.port}"] } }
sites:
  - routes:
      - { path: /, access: { forward: { ${forward} } }, proxy: { upstream: app } }
      - { path: /open, proxy: { upstream: app } }
      - { path: /kept, access: { forward: { ${forward}, cacheFor: 1m } }, proxy: { upstream: app } }
      - { path: /by, access: { forward: { ${forward}, cacheFor: 1m, cacheBy: [{ cookie: session }] } }, proxy: { upstream: app } }
      - { path: /any, access: { satisfy: any, allow: [127.0.0.1], forward: { ${forward} } }, proxy: { upstream: app } }
      - { path: /gone, access: { forward: { url: "http://127.0.0.1:1/" } }, proxy: { upstream: app } }
`);
  });
  after(async () => {
    await worker.close();
    await service.close();
    await origin.close();
  });

  async function ask(path = '/', init: RequestInit = {}): Promise<{ response: Response; text: string }> {
    const response = await fetch(`${worker.origin}${path}`, { redirect: 'manual', ...init });
    return { response, text: await response.text() };
  }
  const headOf = (one: ScriptedOrigin): string => `${one.requests.at(-1)?.head ?? ''}\r\n`;

  test('asks with method, host, URI and the fields that tell who it is, and without the body', async () => {
    script = (socket) => socket.write(passes);
    const headers = {
      Cookie: 'session=1',
      Authorization: 'Bearer x',
      'X-Secret': 'mine',
      'X-Forwarded-Uri': '/forged',
    };
    const { response } = await ask('/a/b?c=%20d', { method: 'POST', body: 'body'.repeat(1000), headers });
    assert.equal(response.status, 200);
    const head = headOf(service);
    assert.match(head, /^GET \/verify\?for=portico HTTP\/1\.1\r\n/);
    assert.match(head, /\r\nX-Forwarded-Method: POST\r\n/);
    assert.match(head, /\r\nX-Forwarded-Uri: \/a\/b\?c=%20d\r\n/);
    assert.match(head, new RegExp(`\\r\\nX-Forwarded-Host: 127.0.0.1:${worker.port}\\r\\n`));
    assert.match(head, /\r\nX-Forwarded-For: 127\.0\.0\.1\r\n/);
    assert.match(head, /\r\ncookie: session=1\r\n/);
    assert.match(head, /\r\nauthorization: Bearer x\r\n/);
    assert.doesNotMatch(head, /x-secret|forged|content-length|transfer-encoding/i);
    assert.equal(service.requests.at(-1)?.body.length, 0);
    assert.equal(origin.requests.at(-1)?.body.length, 4000);
  });

  test('gives the application and the client the fields that are listed, and no others', async () => {
    script = (socket) => socket.write(passes);
    const { response, text } = await ask();
    assert.equal(text, 'in');
    assert.equal(response.headers.get('set-cookie'), 'session=new');
    assert.equal(response.headers.has('x-inner'), false);
    assert.match(headOf(origin), /\r\nX-Auth-User: alice\r\nX-Auth-Groups: a, b\r\n/);
    assert.doesNotMatch(headOf(origin), /x-inner/i);
  });

  test('never lets a client say what the service says, on no route', async () => {
    script = (socket) => socket.write('HTTP/1.1 204 No Content\r\n\r\n');
    const headers = { 'X-Auth-User': 'root', X_Auth_Groups: 'root' };
    for (const path of ['/', '/open']) {
      assert.equal((await ask(path, { headers })).response.status, 200);
      assert.doesNotMatch(headOf(origin), /root/);
    }
  });

  test('gives the client what the service says otherwise, and the application nothing', async () => {
    const count = origin.requests.length;
    script = (socket) => socket.write(toLogin);
    const { response, text } = await ask();
    assert.equal(response.status, 302);
    assert.equal(response.headers.get('location'), 'https://login.example/');
    assert.equal(response.headers.get('set-cookie'), 'state=1');
    assert.equal(response.headers.has('x-accel-redirect'), false);
    assert.equal(text, 'sign in');
    assert.equal(origin.requests.length, count);
  });

  test('is not asked where the address is enough', async () => {
    const count = service.requests.length;
    assert.equal((await ask('/any')).response.status, 200);
    assert.equal(service.requests.length, count);
  });

  const failures: readonly (readonly [what: string, script: OriginScript])[] = [
    ['says that it has failed', (socket) => socket.write('HTTP/1.1 500 Oops\r\nContent-Length: 6\r\n\r\nsecret')],
    ['says nothing', () => undefined],
    ['hangs up', (socket) => socket.destroy()],
    ['stops in the middle', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok')],
    ['is slow with the end', (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok')],
    ['does not speak HTTP', (socket) => socket.end('200 OK, come in\r\n\r\n')],
    ['sends a broken field', (socket) => socket.end('HTTP/1.1 200 OK\r\nX-Auth-User: a\0b\r\n\r\n')],
    [
      'sends two lengths',
      (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok'),
    ],
    ['sends a head without end', (socket) => socket.write(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}`)],
    ['sends a body without end', (socket) => socket.write(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(300_000)}`)],
    [
      'wants another protocol',
      (socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
    ],
  ];
  for (const [what, misbehaviour] of failures) {
    test(`lets nobody in when the service ${what}`, async () => {
      const count = origin.requests.length;
      script = misbehaviour;
      const { response, text } = await ask();
      assert.equal(response.status, 502);
      assert.match(text, /authorizer_failed/);
      assert.doesNotMatch(text, /secret/);
      assert.equal(origin.requests.length, count);
    });
  }

  test('lets nobody in when the service is not there', async () => {
    assert.equal((await ask('/gone')).response.status, 502);
  });

  test('is asked again over another connection when a kept one has just been closed', async () => {
    script = (socket) => socket.write(passes);
    assert.equal((await ask()).response.status, 200);
    let first = true;
    script = (socket) => {
      if (first) socket.resetAndDestroy();
      else socket.write(passes);
      first = false;
    };
    assert.equal((await ask()).response.status, 200);
  });

  test('is asked once for the same question where its answer is kept', async () => {
    script = (socket) => socket.write(passes);
    const before = service.requests.length;
    const cookie = { headers: { Cookie: 'session=kept' } };
    for (let time = 0; time < 3; time++) assert.equal((await ask('/kept', cookie)).response.status, 200);
    assert.equal(service.requests.length, before + 1);
    assert.match(headOf(origin), /\r\nX-Auth-User: alice\r\n/);
    await ask('/kept', { headers: { Cookie: 'session=other' } });
    await ask('/kept/other', cookie);
    await ask('/kept', { ...cookie, method: 'POST' });
    assert.equal(service.requests.length, before + 4);
  });

  test('is asked once for the same cookie where that decides', async () => {
    script = (socket) => socket.write(passes);
    const before = service.requests.length;
    for (const path of ['/by/a', '/by/b']) await ask(path, { headers: { Cookie: 'x=1; session=one' } });
    assert.equal(service.requests.length, before + 1);
    await ask('/by/a', { headers: { Cookie: 'session=two' } });
    await ask('/by/a');
    assert.equal(service.requests.length, before + 3);
  });

  test('is asked every time when it says no, or that its answer is not to be kept', async () => {
    const before = service.requests.length;
    const cookie = { headers: { Cookie: 'session=no' } };
    script = (socket) => socket.write(toLogin);
    for (let time = 0; time < 2; time++) assert.equal((await ask('/kept', cookie)).response.status, 302);
    script = (socket) => socket.write(passes.replace('X-Inner: secret', 'Cache-Control: no-store'));
    for (let time = 0; time < 2; time++) assert.equal((await ask('/kept', cookie)).response.status, 200);
    assert.equal(service.requests.length, before + 4);
  });

  test('is not waited for when the client has gone', async () => {
    const count = origin.requests.length;
    const before = service.requests.length;
    script = () => undefined;
    const leaving = new AbortController();
    const asked = ask('/', { signal: leaving.signal }).catch(() => 'gone');
    await waitFor(() => service.requests.length > before, 'the question');
    leaving.abort();
    assert.equal(await asked, 'gone');
    script = (socket) => socket.write(passes);
    assert.equal((await ask()).response.status, 200);
    assert.equal(origin.requests.length, count + 1);
  });

  test('leaves no cookie and no token in the log', async () => {
    script = (socket) => socket.end('nonsense');
    await ask('/', { headers: { Cookie: 'session=hunter2', Authorization: 'Bearer hunter2' } });
    assert.ok(!(worker.log.join('') + JSON.stringify(worker.messages)).includes('hunter2'));
  });
});
