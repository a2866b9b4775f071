import assert from 'node:assert/strict';
import { request } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ChildProgram } from '../support/child-program.ts';
import { freePort } from '../support/free-port.ts';
import { factsOf, megabyte } from '../support/large-content.ts';
import { PorticoProcess } from '../support/portico-process.ts';

const example = fileURLToPath(new URL('../../examples/node', import.meta.url));
let origin: string;
let portico: PorticoProcess | undefined;
const services: ChildProgram[] = [];

before(async () => {
  const ports: string[] = [];
  for (let i = 0; i < 2; i++) {
    const service = new ChildProgram([join(example, 'server.js'), '0']);
    services.push(service);
    ports.push((await service.waitForOutput(/listening (\d+)/))[1] ?? '');
  }
  const [port, adminPort] = [await freePort(), await freePort()];
  portico = await PorticoProcess.serve(join(example, 'portico.config.ts'), adminPort, {
    env: {
      APP_PORTS: ports.join(','),
      PORTICO_LISTEN: `127.0.0.1:${port}`,
      PORTICO_ADMIN: `127.0.0.1:${adminPort}`,
    },
  });
  origin = `http://127.0.0.1:${port}`;
});
after(async () => {
  await portico?.stop();
  for (const service of services) await service.stop();
});

test('a configuration in TypeScript passes requests on to both instances', async () => {
  const ports = new Set<unknown>();
  for (let i = 0; i < 8; i++) {
    const answer = await fetch(`${origin}/api/hello`);
    assert.equal(answer.status, 200);
    const body = await answer.json();
    assert.ok(typeof body === 'object' && body !== null && 'port' in body && 'client' in body);
    assert.equal(body.client, '127.0.0.1');
    ports.add(body.port);
  }
  assert.equal(ports.size, 2);
});

test('an event stream arrives event by event', async () => {
  const response = await fetch(`${origin}/api/ticks`);
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  assert.ok(response.body);
  let text = '';
  for await (const chunk of response.body) {
    text += Buffer.from(chunk).toString();
    if (text.includes('id: 2')) break;
    assert.match(text, /^id: 1\ndata: [^\n]+\n\n$/);
  }
});

test('an upload reaches the service unchanged, one beyond the limit of the route does not', async () => {
  const content = Buffer.concat([megabyte(1), megabyte(2)]);
  const answer = await fetch(`${origin}/api/digest`, { method: 'POST', body: content });
  assert.deepEqual(await answer.json(), await factsOf(chunksOf(content)));
  assert.equal(await statusForAnnouncedBody(`${origin}/api/digest`, 11 * 1024 ** 2), 413);
});

test('Portico answers the fixed response and the redirect itself', async () => {
  assert.equal(await (await fetch(`${origin}/healthz`)).text(), 'ok\n');
  const start = await fetch(`${origin}/`, { redirect: 'manual' });
  assert.deepEqual([start.status, start.headers.get('location')], [302, '/api/hello']);
});

/** Announces a body of so many bytes, sends none of it, and gives the status of the answer. */
function statusForAnnouncedBody(url: string, size: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method: 'POST', agent: false, headers: { 'Content-Length': size } });
    outgoing.on('response', (response) => {
      resolve(response.statusCode);
      outgoing.destroy();
    });
    outgoing.on('error', reject);
    outgoing.flushHeaders();
  });
}

async function* chunksOf(content: Uint8Array): AsyncGenerator<Uint8Array> {
  yield content;
}
