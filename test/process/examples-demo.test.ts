import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ChildProgram } from '../support/child-program.ts';
import { freePort } from '../support/free-port.ts';
import { descendantsOf } from '../support/process-tree.ts';
import { waitFor } from '../support/wait-for.ts';

const demo = join(fileURLToPath(new URL('../../examples/demo', import.meta.url)), 'demo.js');
const started: ChildProgram[] = [];

function startDemo(env: NodeJS.ProcessEnv): ChildProgram {
  const program = new ChildProgram([demo], env);
  started.push(program);
  return program;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

after(async () => {
  for (const program of started) await program.stop();
});

test('the demo serves files and two instances, says what to open, outlives an instance, and ends all it started', async () => {
  const port = await freePort();
  const program = startDemo({ PORTICO_PORT: String(port), PORTICO_ADMIN_PORT: String(await freePort()) });
  await program.waitForOutput(/Ctrl-C ends it all/);
  assert.match(program.output, new RegExp(`http://localhost:${port}/`));
  const origin = `http://127.0.0.1:${port}`;
  assert.match(await (await fetch(`${origin}/`)).text(), /It serves/);
  assert.match((await fetch(`${origin}/portico.svg`)).headers.get('content-type') ?? '', /^image\/svg\+xml/);
  assert.equal((await fetch(`${origin}/no-such-page`)).status, 404);
  assert.equal(
    (await fetch(`${origin}/application/form`, { redirect: 'manual' })).headers.get('location'),
    '/app/form',
  );

  const report = async (): Promise<{ cache: string | null; coding: string | null; text: string }> => {
    const response = await fetch(`${origin}/app/report`);
    const { headers } = response;
    return { cache: headers.get('x-cache'), coding: headers.get('content-encoding'), text: await response.text() };
  };
  const first = await report();
  assert.equal(first.cache, 'MISS');
  assert.notEqual(first.coding, null);
  assert.match(first.text, /Written at/);
  await waitFor(async () => (await report()).cache === 'HIT', 'the report to come from the cache');
  assert.equal((await fetch(`${origin}/app/whoami`)).headers.get('x-cache'), null);
  // A file is compressed in the background, once; until then it comes as it is.
  const isCompressed = async (): Promise<boolean> => (await fetch(`${origin}/`)).headers.has('content-encoding');
  await waitFor(isCompressed, 'the page to come compressed');
  assert.match(program.output, /\/app\/report/);

  const whoami = async (): Promise<string> => (await fetch(`${origin}/app/whoami`)).text();
  const answers = [await whoami(), await whoami(), await whoami(), await whoami(), await whoami(), await whoami()];
  assert.ok(answers.some((text) => text.includes('blue')) && answers.some((text) => text.includes('green')));

  const blue = Number((await program.waitForOutput(/kill (\d+)/))[1]);
  process.kill(blue);
  await program.waitForOutput(/Application instance blue has ended/);
  for (let i = 0; i < 6; i++) assert.match(await whoami(), /green/);

  const pids = descendantsOf(program.child.pid ?? 0);
  assert.ok(pids.length >= 4, `the demo runs ${pids.length} processes`);
  assert.equal(await program.stop('SIGINT'), 0);
  await waitFor(() => !pids.some(isAlive), 'the end of every process');
});

test('the demo tells a port that is taken in a sentence, with what to do', async () => {
  const other = createServer().listen(0, '0.0.0.0');
  await once(other, 'listening');
  const address = other.address();
  assert.ok(address !== null && typeof address === 'object');
  const program = startDemo({ PORTICO_PORT: String(address.port) });
  assert.equal(await program.ended(), 2);
  other.close();
  assert.equal(
    program.output,
    `Port ${address.port} is taken by another program.\nTake another one: PORTICO_PORT=8090 npm start\n`,
  );
});

test('the demo refuses a port that is no number', async () => {
  const program = startDemo({ PORTICO_PORT: 'eighty' });
  assert.equal(await program.ended(), 2);
  assert.match(program.output, /PORTICO_PORT is "eighty"; expected a number from 1 to 65535/);
});

test('when Portico dies, the demo says so and ends the rest', async () => {
  const program = startDemo({
    PORTICO_PORT: String(await freePort()),
    PORTICO_ADMIN_PORT: String(await freePort()),
  });
  await program.waitForOutput(/Ctrl-C ends it all/);
  const pids = descendantsOf(program.child.pid ?? 0);
  const primary = pids.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('\0serve\0'));
  assert.ok(primary !== undefined);
  process.kill(primary, 'SIGKILL');
  assert.equal(await program.ended(), 1);
  assert.match(program.output, /Portico has ended \(signal SIGKILL\)/);
  await waitFor(() => !pids.some(isAlive), 'the end of every process');
});
