import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ChildProgram } from '../support/child-program.ts';
import { freePort } from '../support/free-port.ts';
import { PorticoProcess } from '../support/portico-process.ts';

const example = fileURLToPath(new URL('../../examples/uploads', import.meta.url));
const piece = Buffer.alloc(50_000, 'p');
const pieces = 10;

/** Sends the pieces with a pause between them, chunked. */
async function* slowly(): AsyncGenerator<Buffer> {
  for (let index = 0; index < pieces; index++) {
    yield piece;
    await sleep(60);
  }
}

test('the application of the example gets slow uploads whole, and streamed where it wants to see them come', async (t) => {
  const [appPort, port, adminPort] = [await freePort(), await freePort(), await freePort()];
  const spool = await mkdtemp(join(tmpdir(), 'portico-example-'));
  t.after(() => rm(spool, { recursive: true, force: true, maxRetries: 5 }));
  const application = new ChildProgram([join(example, 'application.js'), String(appPort)]);
  t.after(() => application.stop());
  await application.waitForOutput(/listening/);
  const portico = await PorticoProcess.serve(join(example, 'portico.yaml'), adminPort, {
    env: {
      APP_PORT: String(appPort),
      PORTICO_LISTEN: `127.0.0.1:${port}`,
      PORTICO_ADMIN: `127.0.0.1:${adminPort}`,
      SPOOL_DIRECTORY: spool,
    },
  });
  t.after(() => portico.stop());
  const origin = `http://127.0.0.1:${port}`;

  const upload = async (path: string): Promise<{ bytes: number; framing: string }> => {
    const options: RequestInit & { duplex: 'half' } = { method: 'POST', body: slowly(), duplex: 'half' };
    const response = await fetch(`${origin}${path}`, options);
    assert.equal(response.status, 200);
    return (await response.json()) as { bytes: number; framing: string };
  };
  const whole = await upload('/');
  assert.deepEqual([whole.bytes, whole.framing], [piece.length * pieces, 'Content-Length']);
  const streamed = await upload('/progress/');
  assert.deepEqual([streamed.bytes, streamed.framing], [piece.length * pieces, 'chunked']);
  const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  assert.match(metrics, /portico_buffered_bodies_total\{direction="request",place="spool"\} 1/);
  assert.deepEqual(await readdir(spool), [], 'spool files have no names');

  const broken = await fetch(`${origin}/broken`, { headers: { accept: 'text/html' } });
  assert.equal(broken.status, 500);
  assert.match(await broken.text(), /Something went wrong/);
  const download = await fetch(`${origin}/download/`);
  assert.equal((await download.arrayBuffer()).byteLength, 1024 * 1024);
});
