import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { httpGet } from '../../support/http-get.ts';
import { type InProcessWorker, startInProcessWorker } from '../../support/in-process-worker.ts';
import { type OriginScript, ScriptedOrigin } from '../../support/scripted-origin.ts';
import { waitFor } from '../../support/wait-for.ts';

const answer: OriginScript = (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');

async function originOf(t: TestContext, script: OriginScript): Promise<ScriptedOrigin> {
  const origin = await ScriptedOrigin.start(script);
  t.after(() => origin.close());
  return origin;
}

function site(origins: readonly ScriptedOrigin[], keys = ''): string {
  const servers = origins.map(({ port }) => `"127.0.0.1:${port}"`).join(', ');
  return `upstreams: { app: { servers: [${servers}]${keys} } }
sites: [{ routes: [{ path: /, proxy: { upstream: app } }] }]
`;
}

async function startWorker(t: TestContext, yaml: string): Promise<InProcessWorker> {
  const worker = await startInProcessWorker(yaml);
  t.after(() => worker.close());
  return worker;
}

async function statusesOf(worker: InProcessWorker, count: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let request = 0; request < count; request++) statuses.push((await httpGet(worker.port, '/')).status);
  return statuses;
}

test('a server that checks found down gets no request until it is found up', async (t) => {
  const [first, second] = [await originOf(t, answer), await originOf(t, answer)];
  const worker = await startWorker(t, site([first, second], ', health: { path: / }'));
  const server = first.server().name;
  worker.setHealth({ complete: true, servers: [{ upstream: 'app', server, up: false, reason: 'status 503' }] });
  assert.deepEqual(new Set(await statusesOf(worker, 10)), new Set([200]));
  assert.deepEqual([first.requests.length, second.requests.length], [0, 10]);
  worker.setHealth({ complete: false, servers: [{ upstream: 'app', server, up: true }] });
  await statusesOf(worker, 10);
  assert.equal(first.requests.length, 5);
});

test('what checks found outlives a reload, reaches servers that come with it, and ends with the checks', async (t) => {
  const [first, second, third] = [await originOf(t, answer), await originOf(t, answer), await originOf(t, answer)];
  const worker = await startWorker(t, site([first, second], ', health: { path: / }'));
  const down = [first, third].map((origin) => ({ upstream: 'app', server: origin.server().name, up: false }));
  worker.setHealth({ complete: true, servers: down });
  await worker.reload(site([first, second, third], ', health: { path: / }'));
  await statusesOf(worker, 12);
  assert.deepEqual([first.requests.length, third.requests.length], [0, 0]);
  await worker.reload(site([first, second, third]));
  await statusesOf(worker, 12);
  assert.ok(first.requests.length > 0 && third.requests.length > 0);
});

test('a server that counts as down until it was checked gets no request before', async (t) => {
  const [first, second] = [await originOf(t, answer), await originOf(t, answer)];
  const worker = await startWorker(t, site([first, second], ', health: { path: /, startAs: down }'));
  worker.setHealth({ complete: false, servers: [{ upstream: 'app', server: second.server().name, up: true }] });
  await statusesOf(worker, 6);
  assert.deepEqual([first.requests.length, second.requests.length], [0, 6]);
});

test('requests that come while checks find every server down wait, and go out when one is found up', async (t) => {
  const origin = await originOf(t, answer);
  const worker = await startWorker(t, site([origin], ', health: { path: / }'));
  const server = origin.server().name;
  worker.setHealth({ complete: true, servers: [{ upstream: 'app', server, up: false, reason: 'status 503' }] });
  const waiting = Promise.all([statusesOf(worker, 1), statusesOf(worker, 1), statusesOf(worker, 1)]);
  await waitFor(
    () => worker.log.some((line) => line.includes('no server of upstream app is up')),
    'the wait to be told',
  );
  assert.equal(origin.requests.length, 0);
  worker.setHealth({ complete: false, servers: [{ upstream: 'app', server, up: true }] });
  assert.deepEqual((await waiting).flat(), [200, 200, 200]);
});

test('a server that resets requests is ejected after five, and the log says so once', async (t) => {
  const bad = await originOf(t, (socket) => socket.resetAndDestroy());
  const good = await originOf(t, answer);
  const worker = await startWorker(t, site([bad, good], ', passiveHealth: { ejectionTime: 30s }'));
  const statuses = await statusesOf(worker, 40);
  assert.deepEqual(new Set(statuses), new Set([200]), 'the other server answers for it');
  assert.equal(bad.requests.length, 5);
  const lines = worker.log.filter((line) => line.includes('gets no requests for 30000 ms'));
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /5 failures in a row/);
});

test('a server whose answers say that it fails is ejected where the statuses are named', async (t) => {
  const bad = await originOf(t, (socket) => socket.write('HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n'));
  const good = await originOf(t, answer);
  const worker = await startWorker(
    t,
    site([bad, good], ', passiveHealth: { status: 500-599, consecutiveFailures: 3, ejectionTime: 30s }'),
  );
  await statusesOf(worker, 20);
  assert.equal(bad.requests.length, 3);
});

test('the only server is asked however often it fails, and passive health can be switched off', async (t) => {
  const bad = await originOf(t, (socket) => socket.write('HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n'));
  const good = await originOf(t, answer);
  const worker = await startWorker(t, site([bad], ', passiveHealth: { status: 500, consecutiveFailures: 1 }'));
  await statusesOf(worker, 10);
  assert.equal(bad.requests.length, 10);
  await worker.reload(site([bad, good], ', passiveHealth: false'));
  await statusesOf(worker, 10);
  assert.equal(bad.requests.length, 15);
});
