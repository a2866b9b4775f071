import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import {
  type ClientRequest,
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from 'node:http';
import { get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, type TestContext, test } from 'node:test';
import { connect } from 'node:tls';
import { freePort } from '../support/free-port.ts';
import { httpGet } from '../support/http-get.ts';
import { PorticoProcess } from '../support/portico-process.ts';
import { RunningPortico } from '../support/running-portico.ts';
import { type TestCertificate, TestCertificates } from '../support/test-certificates.ts';
import { TlsLoadClients } from '../support/tls-load-clients.ts';
import { waitFor } from '../support/wait-for.ts';

const made = new TestCertificates();
after(() => made.remove());
const ca = readFileSync(made.authority);
const servername = 'example.com';
const hello = 'accessLog: false\nsites: [{ routes: [{ path: /, respond: { body: hello } }] }]\n';

function start(t: TestContext, certificate: TestCertificate, tls: object = {}): Promise<RunningPortico> {
  return RunningPortico.start(t, hello, { tls: { certificates: [certificate], ...tls } });
}

/** The serial numbers that both workers may show. */
async function shown(port: number): Promise<Set<string>> {
  const serials = new Set<string>();
  for (let count = 0; count < 12; count++) {
    const socket = connect({ port, host: '127.0.0.1', servername, ca });
    await once(socket, 'secureConnect');
    socket.write('GET / HTTP/1.1\r\nHost: example.com\r\n\r\n');
    await once(socket, 'data');
    serials.add(socket.getPeerCertificate().serialNumber);
    socket.destroy();
  }
  return serials;
}

test('the start line tells of https', async (t) => {
  const portico = await start(t, made.make('line', [servername]));
  await portico.process.waitForError(new RegExp(`ready on https://127\\.0\\.0\\.1:${portico.port} `));
});

test('a reload swaps certificates and options without a failed request', async (t) => {
  const portico = await start(t, made.make('first', [servername]));
  const [first] = await shown(portico.port);
  const clients = new TlsLoadClients({ port: portico.port, servername, ca }, { keptAlive: 4, fresh: 4 });
  t.after(() => clients.stop());
  await waitFor(() => clients.answered > 100, 'some load');
  for (let round = 0; round < 3; round++) {
    const next = made.make(`next-${round}`, [servername]);
    await portico.rewrite(hello, { tls: { certificates: [next], http2: round === 0, minVersion: '1.3' } });
    assert.equal(await portico.reload(), 'success');
    const answered = clients.answered;
    await waitFor(() => clients.answered > answered + 50, 'load behind it');
  }
  const last = await shown(portico.port);
  assert.equal(last.size, 1);
  assert.ok(!last.has(first ?? ''));
  await assert.rejects(
    once(connect({ port: portico.port, host: '127.0.0.1', ca, maxVersion: 'TLSv1.2' }), 'secureConnect'),
  );
  await clients.stop();
  assert.deepEqual(clients.failures, []);
  assert.ok(clients.handshakes > 50);
});

test('files changed in place come into force under load without a failed request', async (t) => {
  const live = made.make('live', [servername]);
  const renewed = made.make('renewed', [servername]);
  const portico = await start(t, live);
  const [first] = await shown(portico.port);
  const clients = new TlsLoadClients({ port: portico.port, servername, ca }, { keptAlive: 2, fresh: 2 });
  t.after(() => clients.stop());
  copyFileSync(renewed.certificate, live.certificate);
  copyFileSync(renewed.key, live.key);
  await waitFor(async () => !(await shown(portico.port)).has(first ?? ''), 'the new certificate');
  await clients.stop();
  assert.deepEqual(clients.failures, []);
});

test('the uws engine takes changed files and reloads under load without a failed request', async (t) => {
  const live = made.make('uws-live', [servername]);
  const fast = { http2: false, certificates: [live] };
  const portico = await RunningPortico.start(t, hello, { tls: fast, engine: 'uws' });
  const [first] = await shown(portico.port);
  const kept = connect({ port: portico.port, host: '127.0.0.1', servername, ca });
  await once(kept, 'secureConnect');
  const clients = new TlsLoadClients({ port: portico.port, servername, ca }, { keptAlive: 2, fresh: 2 });
  t.after(() => clients.stop());
  const renewed = made.make('uws-renewed', [servername]);
  copyFileSync(renewed.certificate, live.certificate);
  copyFileSync(renewed.key, live.key);
  await waitFor(async () => !(await shown(portico.port)).has(first ?? ''), 'the new certificate');
  // A connection from before lives on.
  kept.write('GET / HTTP/1.1\r\nHost: example.com\r\n\r\n');
  const [answer] = (await once(kept, 'data')) as [Buffer];
  assert.match(answer.toString(), /^HTTP\/1\.1 200 /);
  kept.destroy();
  const [second] = await shown(portico.port);
  const next = made.make('uws-next', [servername]);
  await portico.rewrite(hello, { tls: { ...fast, certificates: [next] }, engine: 'uws' });
  assert.equal(await portico.reload(), 'success');
  await waitFor(async () => !(await shown(portico.port)).has(second ?? ''), 'the next certificate');
  await portico.rewrite(hello, { tls: { ...fast, certificates: [{ ...next, key: live.key }] }, engine: 'uws' });
  assert.equal(await portico.reload(), 'failure');
  await clients.stop();
  assert.deepEqual(clients.failures, []);
});

test('an address changes from HTTP to HTTPS on the uws engine by a reload', async (t) => {
  const portico = await RunningPortico.start(t, hello, { engine: 'uws' });
  assert.equal((await portico.get('/')).status, 200);
  const tls = { http2: false, certificates: [made.make('later', [servername])] };
  await portico.rewrite(hello, { engine: 'uws', tls });
  assert.equal(await portico.reload(), 'success');
  assert.equal((await shown(portico.port)).size, 1);
  await assert.rejects(portico.get('/'));
});

test('a reload with a certificate that cannot be used is refused, and the former one goes on', async (t) => {
  const site = made.make('kept', [servername]);
  const portico = await start(t, site);
  const former = await shown(portico.port);
  await portico.rewrite(hello, { tls: { certificates: [{ ...site, key: made.make('foreign', [servername]).key }] } });
  assert.equal(await portico.reload(), 'failure');
  assert.match(portico.process.output.err, /the key does not belong to the certificate/);
  assert.deepEqual(await shown(portico.port), former);
});

test('metrics tell of handshakes and of expiry', async (t) => {
  const site = made.make('counted', [servername], { days: 5 });
  const portico = await start(t, site);
  await shown(portico.port);
  const stranger = connect({ port: portico.port, host: '127.0.0.1', servername });
  await once(stranger, 'error');
  await waitFor(
    async () => (await portico.metric('portico_tls_handshakes_total', 'version="1.3"')) >= 12,
    'the counts',
  );
  const failed = 'portico_tls_handshakes_failed_total';
  await waitFor(async () => (await portico.metric(failed, '"closed"')) > 0, 'the failure');
  const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  const version = connect({ port: portico.port, host: '127.0.0.1', ...old });
  await assert.rejects(once(version, 'secureConnect'));
  await waitFor(async () => (await portico.metric(failed, '"version"')) > 0, 'the other failure');
  const notAfter = await portico.metric('portico_tls_certificate_not_after_timestamp_seconds', 'names="example.com"');
  assert.ok(Math.abs(notAfter - (Date.now() / 1000 + 5 * 86_400)) < 3600);
  await portico.process.waitForError(/expires in [45] days/);
});

test('portico check tells when a certificate expires', async () => {
  const site = made.make('checked', [servername], { days: 5 });
  const folder = made.folder;
  const listen = [{ address: '127.0.0.1:0', tls: { certificates: [site] } }];
  const sites = [{ hosts: ['other.example'], routes: [{ path: '/', respond: {} }] }];
  writeFileSync(`${folder}/check.json`, JSON.stringify({ listen, sites }));
  const check = PorticoProcess.spawn(['check', '-c', `${folder}/check.json`]);
  assert.equal(await check.ended(), 0);
  assert.match(check.output.err, /warning: .*checked\.pem: it expires on /);
  assert.match(check.output.err, /warning: no certificate is for other\.example/);
});

test('a session made at one worker is resumed at the other', async (t) => {
  const portico = await start(t, made.make('resumed', [servername]));
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const options = { port: portico.port, host: '127.0.0.1', servername, ca, maxVersion };
    const first = connect(options);
    const session = once(first, 'session') as Promise<[Buffer]>;
    first.write('GET / HTTP/1.1\r\nHost: example.com\r\n\r\n');
    const [ticket] = await session;
    first.destroy();
    for (let count = 0; count < 12; count++) {
      const socket = connect({ ...options, session: ticket });
      await once(socket, 'secureConnect');
      assert.ok(socket.isSessionReused(), `${maxVersion}, connection ${count}`);
      socket.end('GET / HTTP/1.1\r\nHost: example.com\r\n\r\n').resume();
      await once(socket, 'close');
    }
  }
  const both = async (): Promise<boolean> => (await portico.metric('portico_tls_handshakes_total', '"yes"')) >= 24;
  await waitFor(both, 'the counts of resumed sessions');
});

test('HTTP is sent to HTTPS, all but what authorities ask for, and HTTPS has HSTS', async (t) => {
  const site = made.make('redirected', [servername]);
  const plainPort = await freePort();
  const secured = hello.replace(
    'respond: { body: hello }',
    'respond: { body: hello }, responseHeaders: { set: { X-A: b } }',
  );
  const sites = secured.replace(
    '}] }]',
    '}, { path: /own, respond: {}, responseHeaders: { set: { Strict-Transport-Security: max-age=1 } } }] }]',
  );
  const tls = { certificates: [site], hsts: { maxAge: '30d', includeSubDomains: true } };
  const portico = await RunningPortico.start(t, sites, {
    tls,
    moreListeners: [{ address: `127.0.0.1:${plainPort}`, redirectToHttps: true }],
  });
  const redirected = await httpGet(plainPort, '/a%20b?c=d');
  assert.equal(redirected.status, 308);
  assert.equal(redirected.headers.location, `https://127.0.0.1:${portico.port}/a%20b?c=d`);
  assert.equal(redirected.headers['strict-transport-security'], undefined);
  assert.equal((await httpGet(plainPort, '/.well-known/acme-challenge/abc')).status, 200);
  assert.equal(
    (await httpsFields(portico.port, '/'))['strict-transport-security'],
    'max-age=2592000; includeSubDomains',
  );
  assert.equal((await httpsFields(portico.port, '/own'))['strict-transport-security'], 'max-age=1');
});

async function httpsFields(port: number, path: string): Promise<IncomingHttpHeaders> {
  const request = get({ host: '127.0.0.1', port, path, ca, servername, headers: { host: servername }, agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  return response.headers;
}

test('the application learns who a client is by its certificate, and by nothing that clients send', async (t) => {
  const origin = createServer((request, response) => response.end(JSON.stringify(request.headers)));
  origin.listen(0, '127.0.0.1');
  await once(origin, 'listening');
  t.after(() => origin.close());
  const { port } = origin.address() as AddressInfo;
  const proxied = `accessLog: false
upstreams: { app: { servers: ["127.0.0.1:${port}"] } }
sites: [{ routes: [{ path: /, proxy: { upstream: app } }] }]
`;
  const plainPort = await freePort();
  const site = made.make('mutual', [servername]);
  const client = made.make('client', [], { subject: '/CN=alice' });
  const portico = await RunningPortico.start(t, proxied, {
    tls: { certificates: [site], clientCertificates: { ca: made.authority, mode: 'optional' } },
    moreListeners: [{ address: `127.0.0.1:${plainPort}` }],
  });
  const forged = { host: servername, 'X-Client-Cert-Verified': 'SUCCESS', 'x-client-cert-subject': 'CN=root' };
  const ask = async (request: ClientRequest): Promise<Record<string, string>> => {
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const fields: Record<string, string> = JSON.parse(Buffer.concat(await response.toArray()).toString());
    return fields;
  };
  const target = { host: '127.0.0.1', headers: forged, agent: false } as const;
  const plainly = await ask(httpRequest({ ...target, port: plainPort }).end());
  assert.equal(plainly['x-client-cert-verified'], undefined);
  assert.equal(plainly['x-client-cert-subject'], undefined);
  const without = await ask(get({ ...target, port: portico.port, ca, servername }));
  assert.equal(without['x-client-cert-verified'], 'NONE');
  assert.equal(without['x-client-cert-subject'], undefined);
  const shownPair = { cert: readFileSync(client.certificate), key: readFileSync(client.key) };
  const known = await ask(get({ ...target, ...shownPair, port: portico.port, ca, servername }));
  assert.equal(known['x-client-cert-verified'], 'SUCCESS');
  assert.equal(known['x-client-cert-subject'], 'CN=alice');
  assert.match(known['x-client-cert-fingerprint'] ?? '', /^[0-9a-f]{64}$/);
  assert.equal(known['x-forwarded-proto'], 'https');
});
