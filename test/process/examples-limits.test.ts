import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ChildProgram } from '../support/child-program.ts';
import { freePort } from '../support/free-port.ts';
import { httpGet } from '../support/http-get.ts';
import { PorticoProcess } from '../support/portico-process.ts';
import { waitFor } from '../support/wait-for.ts';

const example = fileURLToPath(new URL('../../examples/limits', import.meta.url));

test('the application of the example never gets two requests at a time, and its restart costs none', async (t) => {
  const [appPort, port, adminPort] = [await freePort(), await freePort(), await freePort()];
  const startApplication = async (): Promise<ChildProgram> => {
    const program = new ChildProgram([join(example, 'application.js'), String(appPort)]);
    t.after(() => program.stop());
    await program.waitForOutput(/listening/);
    return program;
  };
  const application = await startApplication();
  const portico = await PorticoProcess.serve(join(example, 'portico.yaml'), adminPort, {
    env: {
      APP_PORT: String(appPort),
      PORTICO_LISTEN: `127.0.0.1:${port}`,
      PORTICO_ADMIN: `127.0.0.1:${adminPort}`,
    },
  });
  t.after(() => portico.stop());
  const askOften = () => Promise.all(Array.from({ length: 20 }, () => httpGet(port, '/')));
  for (const { status, body } of await askOften()) assert.equal(status, 200, body);

  await application.stop();
  const waiting = askOften();
  const status = async (): Promise<string> => (await httpGet(adminPort, '/status')).body;
  await waitFor(async () => /"held": ?[1-9]/.test(await status()), 'requests to be held');
  await startApplication();
  for (const answer of await waiting) assert.equal(answer.status, 200, answer.body);
  assert.match(await status(), /"circuit": ?"closed"/);
});
