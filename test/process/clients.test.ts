import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { request as requestHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { ensureDebianPackage } from '../support/debian-package.ts';
import { freePort } from '../support/free-port.ts';
import { PorticoProcess } from '../support/portico-process.ts';
import { TestCertificates } from '../support/test-certificates.ts';

/* Programs that others have written understand what both engines send, and the other way round. */

const run = promisify(execFile);
const body = randomBytes(200_000);
const made = new TestCertificates();
const certificate = made.make('clients', ['localhost']);
const ports = { uws: 0, node: 0, 'uws over TLS': 0, 'node over TLS': 0 };
type Listener = keyof typeof ports;
const plain = ['uws', 'node'] as const;
const secure = ['uws over TLS', 'node over TLS'] as const;
let folder = '';
let upload = '';
let portico: PorticoProcess;

const echo = createServer((incoming, response) => {
  response.setHeader('X-Method', incoming.method ?? '');
  incoming.pipe(response);
});

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portico-clients-'));
  upload = join(folder, 'upload.bin');
  await mkdir(join(folder, 'site'));
  await writeFile(join(folder, 'site', 'file.bin'), body);
  await writeFile(upload, body);
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  for (const name of Object.keys(ports) as Listener[]) ports[name] = await freePort();
  const tls = { certificates: [certificate], ocsp: 'off' };
  const listen = [
    { address: `127.0.0.1:${ports.uws}`, engine: 'uws' },
    { address: `127.0.0.1:${ports.node}`, engine: 'node' },
    { address: `127.0.0.1:${ports['uws over TLS']}`, engine: 'uws', tls: { ...tls, http2: false } },
    { address: `127.0.0.1:${ports['node over TLS']}`, tls },
  ];
  const adminPort = await freePort();
  const config = {
    listen,
    admin: { address: `127.0.0.1:${adminPort}` },
    workers: 2,
    accessLog: false,
    upstreams: { echo: { servers: [`127.0.0.1:${(echo.address() as AddressInfo).port}`] } },
    sites: [
      {
        routes: [
          { path: '/echo', proxy: { upstream: 'echo' } },
          { path: '/', static: { root: join(folder, 'site') } },
        ],
      },
    ],
  };
  const file = join(folder, 'portico.yaml');
  // JSON is YAML.
  await writeFile(file, JSON.stringify(config));
  portico = await PorticoProcess.serve(file, adminPort, { cwd: folder });
});

after(async () => {
  await portico?.stop();
  echo.closeAllConnections();
  echo.close();
  made.remove();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

function url(listener: Listener, path: string): string {
  return `${listener.endsWith('TLS') ? 'https' : 'http'}://localhost:${ports[listener]}${path}`;
}

describe('curl', { skip: ensureDebianPackage('curl', '/usr/bin/curl') ?? false }, () => {
  const versions: readonly (readonly [Listener, string, string])[] = [
    ...plain.map((listener) => [listener, '--http1.1', '1.1'] as const),
    ['node', '--http1.0', '1.1'],
    ...secure.map((listener) => [listener, '--http1.1', '1.1'] as const),
    ['node over TLS', '--http2', '2'],
  ];
  for (const [listener, option, version] of versions) {
    test(`gets and posts with ${option} over ${listener}`, async () => {
      const got = join(folder, 'got.bin');
      const common = [option, '--silent', '--fail', '--max-time', '30', '--cacert', made.authority, '--output', got];
      const told = ['--write-out', '%{http_version} %{http_code}'];
      const file = await run('/usr/bin/curl', [...common, ...told, url(listener, '/file.bin')]);
      assert.equal(file.stdout, `${version} 200`);
      assert.ok((await readFile(got)).equals(body));
      const sent = ['--data-binary', `@${upload}`, ...told];
      assert.equal((await run('/usr/bin/curl', [...common, ...sent, url(listener, '/echo')])).stdout, `${version} 200`);
      assert.ok((await readFile(got)).equals(body));
      // Once with the length unknown, where the version has a way to say so.
      if (option === '--http1.0') return;
      const chunked = ['-H', 'Transfer-Encoding: chunked', '-H', 'Expect:', ...sent];
      await run('/usr/bin/curl', [...common, ...chunked, url(listener, '/echo')]);
      assert.ok((await readFile(got)).equals(body));
    });
  }
});

const nghttp = ensureDebianPackage('nghttp2-client', '/usr/bin/nghttp') ?? false;

test('nghttp gets several resources and posts at once over HTTP/2', { skip: nghttp }, async () => {
  const many = Array.from({ length: 20 }, () => url('node over TLS', '/file.bin'));
  const { stdout } = await run('/usr/bin/nghttp', ['--null-out', '--stat', '--timeout=30s', ...new Set(many)]);
  assert.match(stdout, / 200 .* \/file\.bin/);
  const { stdout: echoed } = await run('/usr/bin/nghttp', ['-d', upload, url('node over TLS', '/echo')], {
    encoding: 'buffer',
    maxBuffer: 4 * body.length,
  });
  assert.ok(echoed.equals(body));
});

test('h2load has every one of its requests answered, over HTTP/2 and HTTP/1.1', { skip: nghttp }, async () => {
  // Ten requests at a time on a connection, where the engine takes some ahead of the answer: uWebSockets.js does not.
  for (const [listener, more] of [
    ['node over TLS', ['-m', '10']],
    ['node over TLS', ['-m', '10', '--h1']],
    ['uws over TLS', ['-m', '1', '--h1']],
    ['uws', ['-m', '1', '--h1']],
    ['node', ['-m', '10', '--h1']],
  ] as const) {
    const args = [...more, '-n', '400', '-c', '8', url(listener, '/file.bin')];
    const { stdout } = await run('/usr/bin/h2load', args);
    assert.match(stdout, /400 succeeded, 0 failed, 0 errored, 0 timeout/, `${listener} ${more.join(' ')}\n${stdout}`);
  }
});

const script = `
import http.client, ssl, sys
port, authority, path = int(sys.argv[1]), sys.argv[2], sys.argv[3]
body = open(path, 'rb').read()
if authority:
    client = http.client.HTTPSConnection('localhost', port, timeout=30, context=ssl.create_default_context(cafile=authority))
else:
    client = http.client.HTTPConnection('localhost', port, timeout=30)
for attempt in range(3):
    client.request('GET', '/file.bin')
    response = client.getresponse()
    assert response.status == 200 and response.read() == body
    client.request('POST', '/echo', body=body)
    response = client.getresponse()
    assert response.status == 200 and response.read() == body
    client.request('POST', '/echo', body=iter([body[:1000], body[1000:]]), encode_chunked=True, headers={'Transfer-Encoding': 'chunked'})
    response = client.getresponse()
    assert response.status == 200 and response.read() == body
    client.request('HEAD', '/file.bin')
    response = client.getresponse()
    assert response.getheader('Content-Length') == str(len(body)) and response.read() == b''
print('done')
`;

describe('http.client of Python', { skip: ensureDebianPackage('python3', '/usr/bin/python3') ?? false }, () => {
  for (const listener of [...plain, ...secure]) {
    test(`gets and posts over one connection to ${listener}`, async () => {
      const authority = listener.endsWith('TLS') ? made.authority : '';
      const { stdout } = await run('/usr/bin/python3', ['-c', script, String(ports[listener]), authority, upload]);
      assert.equal(stdout.trim(), 'done');
    });
  }
});

describe('Node.js', () => {
  for (const listener of plain) {
    test(`fetches from ${listener}`, async () => {
      const got = await fetch(url(listener, '/file.bin'));
      assert.ok(Buffer.from(await got.arrayBuffer()).equals(body));
      const echoed = await fetch(url(listener, '/echo'), { method: 'POST', body });
      assert.equal(echoed.headers.get('x-method'), 'POST');
      assert.ok(Buffer.from(await echoed.arrayBuffer()).equals(body));
    });
  }

  for (const listener of secure) {
    test(`posts with node:https to ${listener}`, async () => {
      const echoed = await new Promise<Buffer>((resolve, reject) => {
        const options = { method: 'POST', ca: readFileSync(made.authority), agent: false } as const;
        const outgoing = requestHttps(url(listener, '/echo'), options, (response) => {
          const pieces: Buffer[] = [];
          response.on('data', (piece: Buffer) => pieces.push(piece));
          response.on('end', () => resolve(Buffer.concat(pieces)));
        });
        outgoing.on('error', reject);
        outgoing.end(body);
      });
      assert.ok(echoed.equals(body));
    });
  }

  test('has many streams of node:http2 at once answered', async () => {
    const session = connectHttp2(`https://localhost:${ports['node over TLS']}`, { ca: readFileSync(made.authority) });
    try {
      const answers = Array.from({ length: 30 }, async (_, index) => {
        const stream = session.request({ ':method': 'POST', ':path': `/echo?${index}` });
        stream.end(body);
        const pieces: Buffer[] = [];
        for await (const piece of stream) pieces.push(piece as Buffer);
        return Buffer.concat(pieces);
      });
      for (const answer of await Promise.all(answers)) assert.ok(answer.equals(body));
    } finally {
      session.close();
    }
  });
});
