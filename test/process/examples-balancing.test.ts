import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ChildProgram } from '../support/child-program.ts';
import { moveConfiguration } from '../support/example-copy.ts';
import { freePort } from '../support/free-port.ts';
import { PorticoProcess } from '../support/portico-process.ts';
import { waitFor } from '../support/wait-for.ts';

const example = fileURLToPath(new URL('../../examples/balancing', import.meta.url));
const programs: ChildProgram[] = [];
let folder: string;
let portico: PorticoProcess;
let origin: string;
let admin: string;
let first: string;
let second: string;
let backup: string;

before(async () => {
  const ports: string[] = [];
  for (let index = 0; index < 3; index++) {
    const program = new ChildProgram([join(example, 'application.js'), '0']);
    programs.push(program);
    ports.push((await program.waitForOutput(/listening (\d+)/))[1] ?? '');
  }
  [first = '', second = '', backup = ''] = ports.map((port) => `served by ${port}\n`);
  folder = await mkdtemp(join(tmpdir(), 'portico-balancing-'));
  await cp(example, folder, { recursive: true });
  const [port, adminPort] = [await freePort(), await freePort()];
  portico = await PorticoProcess.serve(join(folder, 'portico.yaml'), adminPort, {
    env: {
      APP_PORT_1: ports[0],
      APP_PORT_2: ports[1],
      APP_PORT_3: ports[2],
      PORTICO_LISTEN: `127.0.0.1:${port}`,
      PORTICO_ADMIN: `127.0.0.1:${adminPort}`,
    },
  });
  admin = `http://127.0.0.1:${adminPort}`;
  origin = `http://127.0.0.1:${port}`;
});
after(async () => {
  await portico?.stop();
  for (const program of programs) await program.stop();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** What a request with that cookie gets, over a connection of its own, so that any worker may take it. */
async function ask(cookie?: string, path = '/'): Promise<{ body: string; given: string | undefined }> {
  const headers = { connection: 'close', ...(cookie === undefined ? {} : { cookie }) };
  const answer = await fetch(`${origin}${path}`, { headers });
  assert.equal(answer.status, 200);
  return { body: await answer.text(), given: answer.headers.get('set-cookie')?.split(';')[0] };
}

/** Everything that a client with that cookie is served by, in some requests. */
async function served(cookie?: string, path?: string): Promise<string[]> {
  const answers = [];
  for (let turn = 0; turn < 12; turn++) answers.push(await ask(cookie, path));
  return [...new Set(answers.map(({ body }) => body))].toSorted();
}

/** A cookie that leads to that instance. */
async function cookieOf(instance: string): Promise<string> {
  let answer = await ask();
  await waitFor(async () => {
    if (answer.body !== instance) answer = await ask();
    return answer.body === instance;
  }, `an answer of ${instance}`);
  return answer.given ?? assert.fail('no cookie');
}

let generation = 1;

async function reload(): Promise<void> {
  portico.signal('SIGHUP');
  generation++;
  await waitFor(async () => (await status()).config.generation === generation, 'the reload');
}

async function status(): Promise<{ readonly config: { readonly generation: number } }> {
  const answer = await fetch(`${admin}/status`);
  // What it holds is the test of the status report's to check.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return (await answer.json()) as { config: { generation: number } };
}

test('a client stays at its instance in all workers, also over a reload and while the instance is drained', async () => {
  assert.deepEqual(await served(), [first, second].toSorted());
  const cookies = [await cookieOf(first), await cookieOf(second)] as const;
  assert.deepEqual(await served(cookies[0]), [first]);
  assert.deepEqual(await served(cookies[1]), [second]);
  await reload();
  assert.deepEqual(await served(cookies[0]), [first]);
  assert.deepEqual(await served(cookies[1]), [second]);
  await moveConfiguration(join(folder, 'portico.yaml'), { '${APP_STATE_1:-ready}': 'drain' });
  await reload();
  assert.deepEqual(await served(), [second]);
  assert.deepEqual(await served(cookies[0]), [first]);
});

test('a path goes to the same instance in all workers', async () => {
  const places = new Set<string>();
  for (let picture = 0; picture < 8; picture++) {
    const by = await served(undefined, `/pictures/${picture}.png`);
    assert.equal(by.length, 1);
    places.add(by.join());
  }
  assert.equal(places.size, 2);
});

test('the backup serves when the others are gone', async () => {
  await programs[0]?.stop();
  await programs[1]?.stop();
  await waitFor(async () => (await ask()).body === backup, 'the backup');
});
