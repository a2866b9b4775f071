import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { TLSSocket, TlsOptions } from 'node:tls';
import { startInProcessWorker } from '../../support/in-process-worker.ts';
import { ScriptedOrigin } from '../../support/scripted-origin.ts';
import { TestCertificates } from '../../support/test-certificates.ts';
import { waitFor } from '../../support/wait-for.ts';

const made = new TestCertificates();
const others = new TestCertificates();
after(() => {
  made.remove();
  others.remove();
});

const { certificate, key } = made.make('origin', ['127.0.0.1']);
const tls: TlsOptions = { cert: readFileSync(certificate), key: readFileSync(key) };
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

function yaml(port: number, more: string): string {
  return [
    'upstreams:',
    '  app:',
    '    waitForUpstream: 0s',
    '    failBackoff: 100ms',
    '    keepAlive: { idleTimeout: 1m }',
    `    servers: ["https://127.0.0.1:${port}"]`,
    `    tls: { ${more} }`,
    'sites: [{ routes: [{ path: /, proxy: { upstream: app } }] }]',
    '',
  ].join('\n');
}

test('files that have changed are taken at a reload, and requests under way finish', async (t) => {
  const subjects: string[] = [];
  const held: TLSSocket[] = [];
  const origin = await ScriptedOrigin.start(
    (socket, { head }) => {
      if (head.startsWith('GET /slow')) held.push(socket as TLSSocket);
      else socket.write(ok);
    },
    {
      tls: { ...tls, requestCert: true, ca: readFileSync(made.authority) },
      onConnection: (socket) => void subjects.push((socket as TLSSocket).getPeerX509Certificate()?.subject ?? ''),
    },
  );
  t.after(() => origin.close());
  const place = (name: string): void => {
    const client = made.make(name, [], { subject: `/CN=${name}` });
    copyFileSync(client.certificate, join(made.folder, 'client.pem'));
    copyFileSync(client.key, join(made.folder, 'client.key'));
  };
  place('first');
  const text = yaml(origin.port, 'ca: authority.pem.ca, certificate: client.pem, key: client.key');
  const worker = await startInProcessWorker(text, made.folder);
  t.after(() => worker.close());
  assert.equal((await fetch(worker.origin)).status, 200);
  const slow = fetch(`${worker.origin}/slow`);
  await waitFor(() => held.length === 1, 'the slow request');

  assert.equal((await worker.reload(text))?.type, 'configured');
  assert.equal((await fetch(worker.origin)).status, 200);
  const before = subjects.length;
  assert.ok(before <= 2, 'nothing has changed, so connections stay');

  place('second');
  assert.equal((await worker.reload(text))?.type, 'configured');
  assert.equal((await fetch(worker.origin)).status, 200);
  assert.deepEqual(subjects.slice(before), ['CN=second']);
  held[0]?.write(ok);
  assert.equal(await (await slow).text(), 'ok');
});

test('files that have changed are taken without a reload, what cannot be used is told of, and requests under way finish', async (t) => {
  const subjects: string[] = [];
  const held: TLSSocket[] = [];
  const origin = await ScriptedOrigin.start(
    (socket, { head }) => {
      if (head.startsWith('GET /slow')) held.push(socket as TLSSocket);
      else socket.write(ok);
    },
    {
      tls: { ...tls, requestCert: true, ca: readFileSync(made.authority) },
      onConnection: (socket) => void subjects.push((socket as TLSSocket).getPeerX509Certificate()?.subject ?? ''),
    },
  );
  t.after(() => origin.close());
  const folder = mkdtempSync(join(made.folder, 'watched-'));
  const place = (name: string): void => {
    const client = made.make(name, [], { subject: `/CN=${name}` });
    copyFileSync(client.certificate, join(folder, 'client.pem'));
    copyFileSync(client.key, join(folder, 'client.key'));
  };
  place('watched');
  const text = yaml(origin.port, `ca: ${made.authority}, certificate: client.pem, key: client.key`);
  const worker = await startInProcessWorker(text, folder);
  t.after(() => worker.close());
  assert.equal((await fetch(worker.origin)).status, 200);
  const slow = fetch(`${worker.origin}/slow`);
  await waitFor(() => held.length === 1, 'the slow request');

  writeFileSync(join(folder, 'client.key'), 'nothing');
  const told = (pattern: RegExp) => () => worker.log.some((line) => pattern.test(line));
  await waitFor(told(/changed files for TLS to the servers of upstream app cannot be used/), 'word of the bad key');
  assert.equal((await fetch(worker.origin)).status, 200);
  assert.ok(subjects.every((subject) => subject === 'CN=watched'));

  place('followed');
  await waitFor(told(/changed files for TLS to the servers of upstream app are in force/), 'word of the good one');
  assert.equal((await fetch(worker.origin)).status, 200);
  assert.equal(subjects.at(-1), 'CN=followed');
  held[0]?.write(ok);
  assert.equal(await (await slow).text(), 'ok');

  // A reload finds the same in them: what was made with it stays.
  const connections = subjects.length;
  assert.equal((await worker.reload(text))?.type, 'configured');
  assert.equal((await fetch(worker.origin)).status, 200);
  assert.equal(subjects.length, connections);
});

test('a reload is refused by a worker that cannot use a file, and the former one stays in force', async (t) => {
  const origin = await ScriptedOrigin.answering(ok, { tls });
  t.after(() => origin.close());
  const file = join(made.folder, 'changing');
  copyFileSync(made.authority, file);
  const text = yaml(origin.port, 'ca: changing');
  const worker = await startInProcessWorker(text, made.folder);
  t.after(() => worker.close());
  const answer = await worker.reload(text, () => writeFileSync(file, 'nothing'));
  assert.equal(answer?.type, 'refused');
  assert.match(answer?.type === 'refused' ? answer.error : '', /changing: there is no certificate in PEM in it/);
  assert.equal((await fetch(worker.origin)).status, 200);
});

test('other authorities count from a reload on, for connections that were kept as well', async (t) => {
  const origin = await ScriptedOrigin.answering(ok, { tls });
  t.after(() => origin.close());
  const worker = await startInProcessWorker(yaml(origin.port, 'ca: authority.pem.ca'), made.folder);
  t.after(() => worker.close());
  assert.equal((await fetch(worker.origin)).status, 200);
  await worker.reload(yaml(origin.port, `ca: ${others.authority}`));
  const refused = await fetch(worker.origin, { headers: { accept: 'application/json' } });
  assert.equal(refused.status, 502);
  assert.match(await refused.text(), /upstream_certificate/);
  assert.ok(worker.log.some((line) => /the certificate of the server is refused/.test(line)));
  await worker.reload(yaml(origin.port, 'verify: false'));
  await waitFor(async () => (await fetch(worker.origin)).status === 200, 'the server to be taken');
});
