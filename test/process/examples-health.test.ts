import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ChildProgram } from '../support/child-program.ts';
import { freePort } from '../support/free-port.ts';
import { httpGet } from '../support/http-get.ts';
import { PorticoProcess } from '../support/portico-process.ts';
import { waitFor } from '../support/wait-for.ts';

const example = fileURLToPath(new URL('../../examples/health', import.meta.url));

test('the instance of the example that says it is sick gets no requests until it is well', async (t) => {
  const programs = [0, 1].map(() => new ChildProgram([join(example, 'application.js'), '0']));
  t.after(() => Promise.all(programs.map((program) => program.stop())));
  const ports: string[] = [];
  for (const program of programs) ports.push((await program.waitForOutput(/listening (\d+)/))[1] ?? '');
  const [port, adminPort] = [await freePort(), await freePort()];
  const portico = await PorticoProcess.serve(join(example, 'portico.yaml'), adminPort, {
    env: {
      APP_PORT_1: ports[0],
      APP_PORT_2: ports[1],
      PORTICO_LISTEN: `127.0.0.1:${port}`,
      PORTICO_ADMIN: `127.0.0.1:${adminPort}`,
    },
  });
  t.after(() => portico.stop());
  const servedBy = async (): Promise<string[]> => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => httpGet(port, '/')));
    return [...new Set(answers.map(({ body }) => body))].toSorted();
  };
  const [first, second] = ports.map((one) => `served by ${one}\n`) as [string, string];
  assert.deepEqual(await servedBy(), [first, second].toSorted());

  programs[0]?.child.kill('SIGUSR2');
  await portico.waitForError(/is down: status 503/);
  await waitFor(async () => (await servedBy()).join() === second, 'only the second one to serve');
  assert.deepEqual(await servedBy(), [second]);

  programs[0]?.child.kill('SIGUSR2');
  await portico.waitForError(new RegExp(`${ports[0]} of upstream app is up`));
  await waitFor(async () => (await servedBy()).length === 2, 'both to serve again');
});
