import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { ensureDebianPackage } from '../support/debian-package.ts';
import { freePort } from '../support/free-port.ts';
import { httpGet } from '../support/http-get.ts';
import { Pebble } from '../support/pebble.ts';
import { PorticoProcess } from '../support/portico-process.ts';
import { RunningPortico } from '../support/running-portico.ts';
import { waitFor } from '../support/wait-for.ts';

const skip = ensureDebianPackage('pebble', '/usr/bin/pebble') ?? false;

interface Scene {
  readonly pebble: Pebble;
  readonly portico: RunningPortico;
  readonly httpPort: number;
  readonly tlsPort: number;
}

const hello = 'accessLog: false\nsites: [{ routes: [{ path: /, respond: { body: hello } }] }]\n';

/** `nobody` of Debian; the number counts. */
const nobody = 65_534;
const asNobody = `user: "${nobody}"\ngroup: "${nobody}"\n`;

/** Portico with one plain listener and one with TLS, and an authority that finds both. */
async function start(t: TestContext, challenge: string, site = hello): Promise<Scene> {
  const [httpPort, tlsPort] = [await freePort(), await freePort()];
  const pebble = await Pebble.start({ httpPort, tlsPort });
  t.after(() => pebble.stop());
  const acme = {
    domains: ['a.test', 'www.a.test'],
    email: 'operator@a.test',
    directory: pebble.directory,
    authority: pebble.authority,
    storage: 'acme',
    challenges: [challenge],
  };
  const listen = [
    // What is asked for on behalf of the authority is exempt.
    { address: `127.0.0.1:${httpPort}`, redirectToHttps: true },
    { address: `127.0.0.1:${tlsPort}`, tls: { acme, unknownNames: 'refuse' } },
  ];
  const portico = await RunningPortico.start(t, site, { moreListeners: listen });
  return { pebble, portico, httpPort, tlsPort };
}

/** Connects as a client that trusts what the authority issues and nothing else. */
async function dial(t: TestContext, { pebble, tlsPort }: Scene, servername = 'www.a.test'): Promise<TLSSocket> {
  const socket = connect({ port: tlsPort, host: '127.0.0.1', servername, ca: [await pebble.root()] });
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  // Its worker may be killed.
  socket.on('error', () => undefined);
  return socket;
}

function isTrusted(t: TestContext, scene: Scene): Promise<boolean> {
  return dial(t, scene).then(
    (socket) => socket.authorized,
    () => false,
  );
}

async function get(socket: TLSSocket): Promise<string> {
  socket.write('GET / HTTP/1.1\r\nHost: www.a.test\r\n\r\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return answer.toString();
}

describe('the whole program', { skip }, () => {
  for (const challenge of ['http-01', 'tls-alpn-01']) {
    test(`gets a certificate by ${challenge} at its first start, and every worker serves with it`, async (t) => {
      const scene = await start(t, challenge);
      const { portico } = scene;
      await waitFor(() => isTrusted(t, scene), 'a trusted certificate');
      // Each connection goes to any of the workers.
      await waitFor(async () => {
        const found = await Promise.all(Array.from({ length: 12 }, () => isTrusted(t, scene)));
        return found.every(Boolean);
      }, 'the certificate in every worker');
      assert.match(await get(await dial(t, scene)), /^HTTP\/1\.1 200 .*hello$/s);
      assert.equal((await httpGet(scene.httpPort, '/')).status, 308);
      assert.equal((await httpGet(scene.httpPort, '/.well-known/acme-challenge/token')).body, 'hello');
      assert.equal(await portico.metric('portico_acme_orders_total', 'result="issued"'), 1);
      assert.equal(await portico.metric('portico_acme_failing_orders'), 0);
      if (challenge === 'http-01') assert.ok((await portico.metric('portico_acme_challenge_requests_total')) > 0);
      await waitFor(async () => (await portico.metric('portico_acme_next_order_timestamp_seconds')) > 0, 'the time');
      assert.doesNotMatch(portico.process.output.err, /PRIVATE KEY/);
    });
  }

  test('keeps the certificate over a restart, a reload and the death of a worker, without another order', async (t) => {
    const scene = await start(t, 'http-01');
    const { portico, pebble } = scene;
    await waitFor(() => isTrusted(t, scene), 'a trusted certificate');
    await portico.process.waitForError(/there is a certificate for a\.test, www\.a\.test, valid until/);
    const live = await dial(t, scene);
    assert.equal(await portico.reload(), 'success');
    assert.match(await get(live), /hello$/);
    const [victim = 0] = portico.process.workerPids();
    process.kill(victim, 'SIGKILL');
    await waitFor(async () => (await portico.metric('portico_worker_restarts_total')) === 1, 'the replacement');
    await waitFor(async () => (await portico.status()).workers.every(({ phase }) => phase === 'ready'), 'all workers');
    for (let count = 0; count < 8; count++) assert.ok(await isTrusted(t, scene));
    portico.process.signal('SIGTERM');
    assert.equal(await portico.process.ended(), 0);
    const again = await PorticoProcess.serve(join(portico.folder, 'portico.yaml'), portico.adminPort, {
      cwd: portico.folder,
    });
    t.after(() => again.stop());
    assert.ok(await isTrusted(t, scene));
    assert.equal(pebble.output.text.match(/Added order/g)?.length, 1);
  });

  for (const challenge of ['http-01', 'tls-alpn-01']) {
    test(`gets a certificate by ${challenge} for workers that are not root and may not read it, also later ones`, {
      skip: process.getuid?.() !== 0 && 'only root can become another user',
    }, async (t) => {
      const scene = await start(t, challenge, `${asNobody}${hello}`);
      const { portico } = scene;
      await waitFor(() => isTrusted(t, scene), 'a trusted certificate');
      for (const pid of portico.process.workerPids()) {
        assert.match(readFileSync(`/proc/${pid}/status`, 'utf8'), new RegExp(`^Uid:(?:\\t${nobody}){4}$`, 'm'));
      }
      const stored = readdirSync(join(portico.folder, 'acme'), { recursive: true, encoding: 'utf8' });
      const files = stored.map((name) => statSync(join(portico.folder, 'acme', name))).filter((file) => file.isFile());
      assert.ok(files.length > 0);
      for (const { uid, mode } of files) assert.deepEqual([uid, mode & 0o077], [0, 0]);

      assert.equal(await portico.reload(), 'success');
      assert.ok(await isTrusted(t, scene));
      assert.doesNotMatch(portico.process.output.err, /"level":"error"/);
      const killed = portico.process.workerPids();
      for (const pid of killed) process.kill(pid, 'SIGKILL');
      await waitFor(async () => {
        const { workers } = await portico.status();
        return workers.every(({ phase, pid }) => phase === 'ready' && pid !== null && !killed.includes(pid));
      }, 'new workers');
      for (let count = 0; count < 8; count++) assert.ok(await isTrusted(t, scene));
      assert.match(await get(await dial(t, scene)), /hello$/);
      assert.equal(await portico.metric('portico_acme_orders_total', 'result="issued"'), 1);
    });
  }

  test('serves with what stands in while the authority is down', async (t) => {
    const directory = 'https://localhost:1/directory';
    const tlsPort = await freePort();
    const acme = { domains: ['a.test'], directory, storage: 'acme' };
    const moreListeners = [{ address: `127.0.0.1:${tlsPort}`, tls: { acme } }];
    const portico = await RunningPortico.start(t, hello, { moreListeners });
    const socket = connect({ port: tlsPort, host: '127.0.0.1', servername: 'a.test', rejectUnauthorized: false });
    t.after(() => socket.destroy());
    await once(socket, 'secureConnect');
    assert.equal(socket.getPeerCertificate().subject.CN, 'Portico');
    assert.match(await get(socket), /hello$/);
    await waitFor(async () => (await portico.metric('portico_acme_failing_orders')) === 1, 'the failure');
    assert.equal(await portico.metric('portico_acme_orders_total', 'result="unreachable"'), 1);
    await portico.process.waitForError(/no certificate for a\.test: the authority cannot be reached at .*ECONNREFUSED/);
  });

  test('refuses a reload whose storage cannot be used, and goes on', async (t) => {
    const portico = await RunningPortico.start(t, hello);
    const acme = { domains: ['a.test'], directory: 'https://localhost:1/', storage: 'portico.yaml/acme' };
    await portico.rewrite(hello, { moreListeners: [{ address: '127.0.0.1:0', tls: { acme } }] });
    assert.equal(await portico.reload(), 'failure');
    assert.equal((await portico.get('/')).body, 'hello');
  });
});
