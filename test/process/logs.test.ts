import assert from 'node:assert/strict';
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { RunningPortico } from '../support/running-portico.ts';
import { waitFor } from '../support/wait-for.ts';

test('SIGUSR2 opens the access log anew in every worker, as logrotate needs it, and loses no line', async (t) => {
  const portico = await RunningPortico.start(
    t,
    'accessLog: { path: access.log, flushInterval: 10ms }\nsites: [{ routes: [{ path: /, respond: { body: hello } }] }]\n',
  );
  const [current, rotated] = [join(portico.folder, 'access.log'), join(portico.folder, 'access.log.1')];
  const send = async (count: number): Promise<void> => {
    // A connection each, so that both workers get some.
    for (let sent = 0; sent < count; sent++) assert.equal((await portico.get('/page')).status, 200);
  };
  await send(30);
  await waitFor(async () => (await lines(current)) === 30, 'the lines of the first requests');
  await rename(current, rotated);
  portico.process.signal('SIGUSR2');
  await waitFor(async () => (await lines(current)) === 0, 'the new file');
  await send(30);
  await waitFor(async () => (await lines(current)) + (await lines(rotated)) === 60, 'the lines of all requests');
  // The second worker may have opened the new file a little later than the first made it.
  await send(30);
  await waitFor(async () => (await lines(current)) + (await lines(rotated)) === 90, 'the last lines');
  assert.ok((await lines(current)) >= 30);
});

async function lines(file: string): Promise<number> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text === undefined ? -1 : text.split('\n').length - 1;
}
