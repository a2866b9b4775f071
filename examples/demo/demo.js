/*
 * The demo that `npm start` runs after the build: two instances of a small application, and Portico in front of them.
 * PORTICO_PORT chooses another port than 8080. Ctrl-C or SIGTERM ends everything started here; a second one ends it at once.
 */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const application = fileURLToPath(new URL('./application.js', import.meta.url));
const configuration = fileURLToPath(new URL('./portico.yaml', import.meta.url));
const startTimeoutMs = 15_000;
const stopTimeoutMs = 8_000;

/** What runs: each with its process and whether it has ended. Portico is the first to be stopped. */
const running = [];
let stopping = false;

async function startDemo() {
  if (!existsSync(program)) fail(2, 'Portico is not built yet. Run: npm run build');
  const port = Number(process.env.PORTICO_PORT || 8080);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    fail(2, `PORTICO_PORT is "${process.env.PORTICO_PORT}"; expected a number from 1 to 65535.`);
  }
  const problem = await problemWithPort(port, '0.0.0.0');
  if (problem) fail(2, `${problem}\nTake another one: PORTICO_PORT=${port === 8090 ? 8091 : 8090} npm start`);
  const adminPort = process.env.PORTICO_ADMIN_PORT || String(await chooseAdminPort());

  const blue = await startInstance('blue');
  const green = await startInstance('green');
  const cache = mkdtempSync(join(tmpdir(), 'portico-demo-'));
  process.on('exit', () => rmSync(cache, { recursive: true, force: true, maxRetries: 5 }));
  const portico = startPortico({
    PORTICO_PORT: String(port),
    PORTICO_ADMIN_PORT: adminPort,
    DEMO_BLUE_PORT: String(blue.port),
    DEMO_GREEN_PORT: String(green.port),
    DEMO_CACHE: cache,
  });
  await untilReady(adminPort, portico);
  if (!stopping) say(invitation(port, adminPort, blue.child.pid, green.child.pid));
}

/** Starts an instance of the application on a free port and resolves once it listens. */
async function startInstance(name) {
  const child = fork(application, [name], { detached: true, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  keep(`application instance ${name}`, child, () => {
    say(`Application instance ${name} has ended (${howEnded(child)}). The other one takes all requests.`);
  });
  const [message] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
  if (typeof message !== 'object' || message === null) fail(1, `The application instance ${name} did not start.`);
  return { child, port: message.port };
}

/** A process group of its own keeps a Ctrl-C in the terminal away from it: it gets one signal, from here. */
function startPortico(environment) {
  const child = spawn(process.execPath, [program, 'serve', '-c', configuration], {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...environment },
  });
  return keep('Portico', child, () => {
    say(`Portico has ended (${howEnded(child)}).`);
    void stop(child.exitCode || 1);
  });
}

function keep(name, child, whenEndedByItself) {
  const entry = { name, child, ended: false };
  entry.end = new Promise((resolve) => {
    child.once('exit', () => {
      entry.ended = true;
      resolve();
      if (!stopping) whenEndedByItself();
    });
    child.once('error', (error) => fail(1, `${name} cannot be started: ${error.message}`));
  });
  running.push(entry);
  return entry;
}

async function untilReady(adminPort, portico) {
  const deadline = Date.now() + startTimeoutMs;
  while (!stopping && !portico.ended && !(await answersReady(adminPort))) {
    if (Date.now() > deadline) fail(1, `Portico was not ready within ${startTimeoutMs / 1000} seconds.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function answersReady(adminPort) {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port: adminPort, path: '/ready', agent: false, timeout: 1000 });
    request.on('response', (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', () => resolve(false));
  });
}

/** Resolves to a sentence that says why nothing can listen there, or to undefined. */
function problemWithPort(port, host) {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (error) => {
      if (error.code === 'EADDRINUSE') resolve(`Port ${port} is taken by another program.`);
      else if (error.code === 'EACCES') resolve(`Port ${port} needs more rights than this user has.`);
      else resolve(`Port ${port} cannot be listened on: ${error.message}.`);
    });
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve(undefined)));
  });
}

/** Port 9180, or a free one where another Portico has it. */
async function chooseAdminPort() {
  if (!(await problemWithPort(9180, '127.0.0.1'))) return 9180;
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

function invitation(port, adminPort, bluePid, greenPid) {
  const origin = `http://localhost:${port}`;
  return `
Portico runs in front of two application instances.

  Open    ${origin}/              files, and a page to try the rest from
          ${origin}/app           the application
          http://127.0.0.1:${adminPort}/metrics   Prometheus metrics (also /health, /ready, /status)

  Try     curl -i ${origin}/app/whoami
          curl -i ${origin}/app/headers -H 'X-Forwarded-For: 203.0.113.9'
          curl -i ${origin}/portico.svg -H 'Range: bytes=0-99'
          curl -N ${origin}/app/stream
          curl -so /dev/null -D - --compressed ${origin}/app/report   twice: X-Cache: MISS, then HIT from the cache, compressed
          kill ${bluePid}        ends the instance blue (green is ${greenPid}); the application stays up

  Edit    examples/demo/portico.yaml, then restart the demo

Ctrl-C ends it all.
`;
}

function howEnded(child) {
  return child.signalCode ? `signal ${child.signalCode}` : `exit code ${child.exitCode}`;
}

/** Ends Portico first, so that requests in flight still find their instance, then the instances; exits with `code`. */
async function stop(code) {
  if (stopping) return;
  stopping = true;
  const [first, rest] = [
    running.filter((entry) => entry.name === 'Portico'),
    running.filter((entry) => entry.name !== 'Portico'),
  ];
  await end(first);
  await end(rest);
  process.exit(code);
}

async function end(entries) {
  const timer = setTimeout(() => killAll(entries), stopTimeoutMs);
  for (const entry of entries) if (!entry.ended) entry.child.kill('SIGTERM');
  await Promise.all(entries.map((entry) => entry.end));
  clearTimeout(timer);
}

function killAll(entries) {
  for (const { ended, child } of entries) {
    if (ended || child.pid === undefined) continue;
    try {
      process.kill(-child.pid, 'SIGKILL'); // its whole process group: Portico's workers too
    } catch {
      // It ended in between.
    }
  }
}

function say(text) {
  process.stdout.write(`${text}\n`);
}

function fail(code, message) {
  process.stderr.write(`${message}\n`);
  stopping = true;
  killAll(running);
  process.exit(code);
}

function takeSignal() {
  if (stopping) {
    killAll(running);
    process.exit(1);
  }
  say('\nEnding the demo …');
  void stop(0);
}

let firstSignalAt = 0;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    // npm passes on the Ctrl-C that the terminal has sent here already: that is one wish, not two.
    if (Date.now() - firstSignalAt < 500) return;
    firstSignalAt = Date.now();
    takeSignal();
  });
}
if (process.env.npm_lifecycle_event) {
  // A signal to npm ends the shell between npm and this process without passing it on.
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent && !stopping) takeSignal();
  }, 500).unref();
}

await startDemo();
