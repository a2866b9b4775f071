import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { LoadClients } from '../support/load-clients.ts';
import { RunningPortico } from '../support/running-portico.ts';
import { ScriptedOrigin } from '../support/scripted-origin.ts';
import { waitFor } from '../support/wait-for.ts';

const [rise, fall] = [2, 3];

/** An application that says of itself what the test wants, and works all the same. */
class CheckedApplication {
  origin: ScriptedOrigin;
  sick = false;
  /** Requests that were no checks. */
  requests = 0;
  /** Checks since the answer to them changed. */
  checks = 0;
  /** How many checks had seen the present answer when the latest request came. */
  checksAtLastRequest = 0;
  /** The same for the first request after `sick` was changed. */
  checksAtFirstRequest: number | undefined;

  private constructor(origin: ScriptedOrigin) {
    this.origin = origin;
  }

  static async start(t: TestContext): Promise<CheckedApplication> {
    const application: CheckedApplication = new CheckedApplication(
      await ScriptedOrigin.start((socket, { head }) => socket.write(application.answer(head))),
    );
    t.after(() => application.origin.close());
    return application;
  }

  become(sick: boolean): void {
    this.sick = sick;
    this.checks = 0;
    this.checksAtFirstRequest = undefined;
  }

  /** Dies, and comes back at the same address after what the test does meanwhile. */
  async restart(meanwhile: () => Promise<void>): Promise<void> {
    const { port } = this.origin;
    await this.origin.kill();
    await meanwhile();
    this.become(false);
    this.origin = await ScriptedOrigin.start((socket, { head }) => socket.write(this.answer(head)), { port });
  }

  private answer(head: string): string {
    if (head.startsWith('GET /healthz ')) {
      this.checks++;
      return `HTTP/1.1 ${this.sick ? '503 No' : '200 OK'}\r\nContent-Length: 0\r\n\r\n`;
    }
    this.requests++;
    this.checksAtLastRequest = this.checks;
    this.checksAtFirstRequest ??= this.checks;
    return 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
  }
}

async function startPortico(t: TestContext, applications: readonly CheckedApplication[]): Promise<RunningPortico> {
  const servers = applications.map(({ origin }) => `"127.0.0.1:${origin.port}"`).join(', ');
  const portico = await RunningPortico.start(
    t,
    `accessLog: false
upstreams:
  app:
    servers: [${servers}]
    health: { path: /healthz, interval: 400ms, timeout: 300ms, rise: ${rise}, fall: ${fall} }
sites: [{ routes: [{ path: /, proxy: { upstream: app } }] }]
`,
  );
  await waitFor(
    async () => (await portico.metric('portico_upstream_healthy')) === applications.length,
    'the first checks',
  );
  return portico;
}

/** Waits until the clients have had so many more answers. */
async function answersPass(clients: LoadClients, count: number): Promise<void> {
  const from = clients.answered;
  await waitFor(() => clients.answered >= from + count, `${count} more answers`);
}

test('a server that fails its checks under load gets no request from any worker, then comes back; no client notices', async (t) => {
  const [first, second] = [await CheckedApplication.start(t), await CheckedApplication.start(t)];
  const portico = await startPortico(t, [first, second]);
  const clients = new LoadClients(8, portico.port, '/');
  t.after(() => clients.stop());
  await waitFor(() => first.requests > 20 && second.requests > 20, 'both to be asked');

  first.become(true);
  await portico.process.waitForError(/is down: status 503/);
  await waitFor(() => first.checks > fall + 1, 'a further check');
  const { requests } = first;
  await answersPass(clients, 300);
  assert.equal(first.requests, requests, 'requests reached the server that is down');
  assert.ok(first.checksAtLastRequest <= fall + 1, `${first.checksAtLastRequest} checks had failed`);
  assert.equal(await portico.metric('portico_upstream_health_changes_total', 'to="down"'), 1);

  first.become(false);
  await waitFor(() => first.requests > requests + 20, 'the server to be asked again');
  assert.equal(first.checksAtFirstRequest, rise);
  await clients.stop();
  assert.equal(clients.failed, 0);
  assert.equal(portico.process.output.err.match(/is down: /g)?.length, 1, 'the workers are silent about it');
});

test('a worker that replaces another one knows who is down before it serves', async (t) => {
  const [first, second] = [await CheckedApplication.start(t), await CheckedApplication.start(t)];
  const portico = await startPortico(t, [first, second]);
  first.become(true);
  await portico.process.waitForError(/is down: status 503/);
  const before = portico.process.workerPids();
  for (const pid of before) process.kill(pid, 'SIGKILL');
  await waitFor(async () => {
    const { workers } = await portico.status();
    return workers.every(({ pid, phase }) => phase === 'ready' && pid !== null && !before.includes(pid));
  }, 'the workers to be replaced');
  const { requests } = first;
  // Each over a connection of its own, so that both workers get some.
  const answers = await Promise.all(Array.from({ length: 40 }, () => portico.get('/')));
  assert.ok(answers.every(({ status }) => status === 200));
  assert.equal(first.requests, requests);
  await waitFor(async () => JSON.stringify(await portico.status()).includes('"health":"down"'), '/status to show it');
  assert.match(JSON.stringify(await portico.status()), /"healthReason":"status 503"/);
});

test('a server that dies and comes back under load costs no request', async (t) => {
  const [first, second] = [await CheckedApplication.start(t), await CheckedApplication.start(t)];
  const portico = await startPortico(t, [first, second]);
  const clients = new LoadClients(8, portico.port, '/');
  t.after(() => clients.stop());
  await answersPass(clients, 100);
  await first.restart(async () => {
    await portico.process.waitForError(/is down: .*ECONNREFUSED/);
    await answersPass(clients, 200);
  });
  const { requests } = first;
  await waitFor(() => first.requests > requests + 20, 'the server to be asked again');
  assert.ok((first.checksAtFirstRequest ?? 0) <= rise);
  await clients.stop();
  assert.equal(clients.failed, 0);
});

test('a reload starts and ends checks', async (t) => {
  const [first, second] = [await CheckedApplication.start(t), await CheckedApplication.start(t)];
  const portico = await startPortico(t, [first]);
  assert.equal(await portico.metric('portico_upstream_healthy'), 1);
  const route = 'sites: [{ routes: [{ path: /, proxy: { upstream: app } }] }]\n';
  second.become(true);
  await portico.rewrite(`accessLog: false
upstreams: { app: { servers: ["127.0.0.1:${second.origin.port}"], health: { path: /healthz, interval: 200ms } } }
${route}`);
  assert.equal(await portico.reload(), 'success');
  await portico.process.waitForError(/is down: status 503/);
  const { checks } = first;
  await waitFor(() => second.checks > 5, 'some checks of the new server');
  assert.ok(first.checks <= checks + 1, 'the server that is gone is checked on');
  await portico.rewrite(`accessLog: false
upstreams: { app: { servers: ["127.0.0.1:${second.origin.port}"] } }
${route}`);
  assert.equal(await portico.reload(), 'success');
  assert.equal(await portico.metric('portico_upstream_healthy'), 0);
  assert.equal((await portico.get('/')).status, 200, 'without checks nobody is down');
});
