import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runCommand } from '../../src/cli/command.ts';
import { controlRequest } from '../support/control-request.ts';
import { httpGet } from '../support/http-get.ts';
import { type RunningOptions, RunningPortico } from '../support/running-portico.ts';
import { ScriptedOrigin } from '../support/scripted-origin.ts';
import { waitFor } from '../support/wait-for.ts';

/** An application whose pages count its answers; the path says which tags they have. */
async function counting(t: TestContext) {
  const state = { count: 0 };
  const origin = await ScriptedOrigin.start((socket, { head }) => {
    const [, path = ''] = head.split(' ', 2);
    const body = `${++state.count}`;
    const tag = path.split('?')[0]?.split('/').at(-1) ?? '';
    socket.write(
      `HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nCache-Tag: all, ${tag === '' ? 'front' : tag}\r\nETag: "${body}"\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
  });
  t.after(() => origin.close());
  return { origin, state };
}

async function cached(t: TestContext, options: RunningOptions = {}, purge = '') {
  const directory = await mkdtemp(join(tmpdir(), 'portico-purge-'));
  const { origin, state } = await counting(t);
  const yaml = `accessLog: false
caches: { default: { directory: ${directory}${purge} } }
upstreams: { app: { servers: ["http://127.0.0.1:${origin.port}"] } }
sites: [{ routes: [{ path: /, proxy: { upstream: app }, cache: true }] }]
`;
  const portico = await RunningPortico.start(t, yaml, options);
  t.after(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  const base = `http://127.0.0.1:${portico.port}`;
  const purged = (body: object) => controlRequest(portico.adminPort, '/cache/purge', body);
  /** What every worker answers: each connection goes to one of them. */
  const seen = async (path: string): Promise<Set<string>> => {
    const answers = await Promise.all(Array.from({ length: 16 }, () => portico.get(path)));
    return new Set(answers.map(({ body }) => body));
  };
  const settled = async (path: string): Promise<string> => {
    await waitFor(async () => (await seen(path)).size === 1, 'all workers to answer the same');
    return (await portico.get(path)).body;
  };
  return { portico, base, purged, seen, settled, state, directory, yaml };
}

function terminal() {
  const written = { output: '', errors: '' };
  return {
    written,
    print: (text: string) => void (written.output += text),
    error: (text: string) => void (written.errors += text),
    errorColour: false,
  };
}

test('after the answer to a purge no worker serves what it concerns, and everything else stays', async (t) => {
  const { portico, base, purged, seen, settled } = await cached(t);
  const cases: readonly [wish: object, gone: string][] = [
    [{ urls: [`${base}/a`] }, '/a'],
    [{ urls: [`${base}/a?x=1`] }, '/a?x=1'],
    [{ prefixes: [`${base}/blog/`] }, '/blog/entry'],
    [{ tags: ['news'] }, '/news'],
  ];
  const paths = ['/a', '/a?x=1', '/a?x=2', '/blog/entry', '/news'];
  for (const [wish, gone] of cases) {
    const before = new Map<string, string>();
    for (const path of paths) before.set(path, await settled(path));
    const { status, value } = await purged(wish);
    assert.equal(status, 200, JSON.stringify(value));
    assert.equal((value as { workers: number }).workers, 2);
    for (const path of paths) {
      const after = await seen(path);
      assert.equal(after.has(before.get(path) ?? ''), path !== gone, `${path} after ${JSON.stringify(wish)}`);
    }
  }
  for (const wish of [{ hosts: [`127.0.0.1:${portico.port}`] }, { everything: true }, { urls: [`${base}/a?*`] }]) {
    const before = await settled('/a?x=2');
    assert.equal((await purged(wish)).status, 200);
    assert.equal((await seen('/a?x=2')).has(before), false, JSON.stringify(wish));
  }
});

test('a purge is effective in every worker within a tenth of a second', async (t) => {
  const { portico, purged, settled, seen } = await cached(t);
  const times: number[] = [];
  for (let round = 0; round < 10; round++) {
    const before = await settled('/a');
    const { value } = await purged({ tags: ['all'] });
    times.push((value as { milliseconds: number }).milliseconds);
    assert.equal((await seen('/a')).has(before), false);
  }
  assert.ok(portico.port > 0);
  t.diagnostic(`milliseconds until every worker had confirmed, on disk: ${times.join(', ')}`);
});

test('a soft purge has the next use validate', async (t) => {
  const { portico, purged, settled } = await cached(t);
  const before = await settled('/a');
  assert.equal((await purged({ tags: ['a'], soft: true })).status, 200);
  const answer = await portico.get('/a');
  assert.match(String(answer.headers['cache-status']), /fwd=stale/);
  assert.notEqual(answer.body, before);
});

test('what was purged stays so after a restart', async (t) => {
  const { portico, purged, settled, directory, yaml } = await cached(t);
  const [a, b] = [await settled('/a'), await settled('/b')];
  assert.equal((await purged({ tags: ['a'] })).status, 200);
  await portico.process.stop();
  const journal = await readFile(join(directory, 'default', 'purge-orders.jsonl'), 'utf8');
  assert.match(journal, /"tag":"a"/);
  const port = portico.port;
  const again = await RunningPortico.start(t, yaml);
  const get = (path: string) => fromHost(again.port, path, `127.0.0.1:${port}`);
  assert.equal(await get('/b'), b);
  assert.notEqual(await get('/a'), a);
  // The folder is removed before the programs are ended that the test started later.
  await again.process.stop();
});

test('a worker that starts later knows what was purged', async (t) => {
  const { portico, purged, settled, seen } = await cached(t, { workers: 1 });
  const before = await settled('/a');
  await purged({ tags: ['a'] });
  for (const pid of portico.process.workerPids()) process.kill(pid, 'SIGKILL');
  await waitFor(
    async () => (await portico.status()).workers.every(({ phase, restarts }) => phase === 'ready' && restarts === 1),
    'the replacement',
  );
  assert.equal((await seen('/a')).has(before), false);
});

test('the command line purges, explains, and says what is wrong', async (t) => {
  const { portico, base, settled, seen } = await cached(t);
  const before = await settled('/a');
  const run = async (...argv: string[]) => {
    const out = terminal();
    const code = await runCommand([...argv, '--admin', `127.0.0.1:${portico.adminPort}`], out);
    return { code, ...out.written };
  };
  const why = await run('cache', 'why', `${base}/a`);
  assert.equal(why.code, 0, why.errors);
  assert.match(why.output, /this request: hit\./);
  assert.match(why.output, /tags all, a/);
  assert.match(why.output, /by Cache-Control: max-age|by .*max-age/);
  const purged = await run('purge', `${base}/a`);
  assert.match(purged.output, /^purged in 2 workers after [\d.]+ ms\n$/);
  assert.equal(purged.code, 0);
  assert.match((await run('cache', 'why', `${base}/a`)).output, /this request: miss\./);
  assert.equal((await seen('/a')).has(before), false);
  const wrong = await run('purge', '/a');
  assert.deepEqual([wrong.code, wrong.output], [2, '']);
  assert.match(wrong.errors, /"\/a" is no URL with its host/);
  assert.equal((await run('purge')).code, 2);
  assert.match((await run('purge', '--all', '--zone', 'media')).errors, /there is no zone "media"; there is default/);
});

test('/status shows the zone, and the admin listener explains as JSON', async (t) => {
  const { portico, base, settled } = await cached(t);
  await settled('/a');
  await waitFor(async () => {
    const { disk, hitRatio } = await zoneOf(portico);
    return disk.entries > 0 && hitRatio !== null && hitRatio > 0 && hitRatio < 1;
  }, 'both workers to report');
  assert.equal((await zoneOf(portico)).name, 'default');
  const why = await httpGet(portico.adminPort, `/cache/why?url=${encodeURIComponent(`${base}/a`)}`);
  const explanation = JSON.parse(why.body) as { request: { result: string }; stored: { tags: string[] }[] };
  assert.equal(explanation.request.result, 'hit');
  assert.deepEqual(explanation.stored[0]?.tags, ['all', 'a']);
  for (const query of ['', '?url=/a', `?url=${base}/a&header=nonsense`]) {
    assert.equal((await httpGet(portico.adminPort, `/cache/why${query}`)).status, 400, query);
  }
});

test('the method PURGE removes what is stored for its URL, from addresses that may', async (t) => {
  const { portico, settled, seen } = await cached(t, {}, ', purge: { allow: [127.0.0.1] }');
  const [before, other] = [await settled('/a?x=1'), await settled('/a')];
  assert.deepEqual(await purgeByMethod(portico.port, '/a?x=1'), { status: 200, body: 'purged\n' });
  assert.equal((await seen('/a?x=1')).has(before), false);
  assert.equal((await seen('/a')).has(other), true);
  const strict = await cached(t, {}, ', purge: { allow: [10.0.0.0/8] }');
  const kept = await strict.settled('/a');
  assert.equal((await purgeByMethod(strict.portico.port, '/a')).status, 403);
  assert.equal(await strict.settled('/a'), kept);
});

test('a request that may not purge changes nothing', async (t) => {
  const { portico, settled } = await cached(t);
  const before = await settled('/a');
  const answers = [
    await controlRequest(portico.adminPort, '/cache/purge', { everything: true }, { Origin: 'http://evil.example' }),
    await controlRequest(portico.adminPort, '/cache/purge', { everythin: true }),
    await controlRequest(portico.adminPort, '/cache/purge', { tags: 'a' }),
    await controlRequest(portico.adminPort, '/cache/purge', {}),
    await controlRequest(portico.adminPort, '/cache/purge', { tags: ['a b'] }),
  ];
  assert.deepEqual(
    answers.map(({ status }) => status),
    [403, 400, 400, 400, 400],
  );
  assert.equal((await httpGet(portico.adminPort, '/cache/purge')).status, 405);
  assert.equal(await settled('/a'), before);
});

async function zoneOf(portico: RunningPortico) {
  const { body } = await httpGet(portico.adminPort, '/status');
  const status = JSON.parse(body) as {
    caches: { name: string; disk: { entries: number }; hitRatio: number | null }[];
  };
  const [zone] = status.caches;
  assert.ok(zone);
  return zone;
}

function purgeByMethod(port: number, path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, method: 'PURGE', agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    outgoing.on('error', reject).end();
  });
}

function fromHost(port: number, path: string, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, agent: false, headers: { Host: host } }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve(text));
    });
    outgoing.on('error', reject).end();
  });
}
