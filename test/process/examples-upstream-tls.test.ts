import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ChildProgram } from '../support/child-program.ts';
import { freePort } from '../support/free-port.ts';
import { httpGet } from '../support/http-get.ts';
import { PorticoProcess } from '../support/portico-process.ts';
import { waitFor } from '../support/wait-for.ts';

const example = fileURLToPath(new URL('../../examples/upstream-tls', import.meta.url));

test('the instances of the example are reached over TLS, and know Portico by its certificate', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'portico-upstream-tls-'));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  await cp(example, folder, { recursive: true });
  const makeCertificates = (): void =>
    void execFileSync(join(folder, 'make-certificates.sh'), { cwd: folder, stdio: 'ignore' });
  makeCertificates();
  const programs = [0, 1].map(() => new ChildProgram([join(folder, 'application.js'), '0']));
  t.after(() => Promise.all(programs.map((program) => program.stop())));
  const ports: string[] = [];
  for (const program of programs) ports.push((await program.waitForOutput(/listening (\d+)/))[1] ?? '');
  const [port, adminPort] = [await freePort(), await freePort()];
  const portico = await PorticoProcess.serve(join(folder, 'portico.yaml'), adminPort, {
    env: {
      APP_PORT_1: ports[0],
      APP_PORT_2: ports[1],
      PORTICO_LISTEN: `127.0.0.1:${port}`,
      PORTICO_ADMIN: `127.0.0.1:${adminPort}`,
    },
  });
  t.after(() => portico.stop());
  const answers = await Promise.all(Array.from({ length: 20 }, () => httpGet(port, '/')));
  assert.deepEqual(
    [...new Set(answers.map(({ body }) => body))].toSorted(),
    ports.map((one) => `served by ${one} to portico over TLSv1.3\n`).toSorted(),
  );

  // Another authority: the instances go on with certificates by the former one.
  makeCertificates();
  portico.signal('SIGHUP');
  await portico.waitForError(/of upstream app is down: the certificate of the server is refused/);
  await waitFor(async () => (await httpGet(adminPort, '/status')).body.includes('"unhealthy"'), 'the state to be told');
});
