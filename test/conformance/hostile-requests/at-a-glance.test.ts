import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type InProcessWorker, startInProcessWorker } from '../../support/in-process-worker.ts';
import { RawClient } from '../../support/raw-client.ts';
import { StrictOrigin } from '../../support/strict-origin.ts';
import { head, smuggled } from './hostile-request.ts';

process.env['UWS_HTTP_MAX_HEADERS_SIZE'] = String(32 * 1024);

/** What an empty first field hides from a look at single fields; the native parser goes by the first one, too. */
const hiding: Readonly<Record<string, readonly string[]>> = {
  'an empty Content-Length before another': ['Content-Length:', `Content-Length: ${smuggled.length}`],
  'an empty Transfer-Encoding before another': ['Transfer-Encoding:', 'Transfer-Encoding: chunked'],
  'an empty Transfer-Encoding before a Content-Length': ['Transfer-Encoding:', 'Content-Length:'],
};

/** What shows that somebody speaks for others, over a connection that they may share. */
const spokenForBy = ['Via: 1.1 edge', 'X-Forwarded-For: 192.0.2.7', 'Forwarded: for=192.0.2.7'];

describe('requests that hide fields from a glance', () => {
  let folder: string;
  let origin: StrictOrigin;
  let worker: InProcessWorker;

  const yaml = (more: string): string => `${more}
upstreams: { app: { servers: ["http://127.0.0.1:${origin.port}"] } }
sites:
  - routes:
      - { path: /app/, proxy: { upstream: app } }
      - { path: /said, respond: { status: 200, body: said } }
      - { path: /old, redirect: { to: /new, status: 301 } }
      - { path: /, static: { root: "${folder}" } }
`;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'portico-glance-'));
    writeFileSync(join(folder, 'a.txt'), 'file');
    utimesSync(join(folder, 'a.txt'), 1_700_000_000, 1_700_000_000);
    origin = await StrictOrigin.start();
    worker = await startInProcessWorker(yaml(''));
  });
  after(async () => {
    await worker.close();
    await origin.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  /** Has the file in memory, and looked at it less than a second ago. */
  async function warm(): Promise<void> {
    const client = await RawClient.connect(worker.port);
    for (let round = 0; round < 2; round++) {
      client.send(head('GET /a.txt HTTP/1.1', 'Host: h'));
      assert.equal((await client.response()).status, 200);
    }
    client.destroy();
  }

  async function etagOf(path: string): Promise<string> {
    const client = await RawClient.connect(worker.port);
    client.send(head(`GET ${path} HTTP/1.1`, 'Host: h'));
    const { field } = await client.response();
    client.destroy();
    return field('etag') ?? '';
  }

  /** The status of the only answer to a request. */
  async function answered(...lines: string[]): Promise<number> {
    await warm();
    const client = await RawClient.connect(worker.port);
    try {
      client.send(head(...lines));
      return (await client.response()).status;
    } finally {
      client.destroy();
    }
  }

  /** Refused with 400; and cut off, perhaps without an answer, when something came behind it in one read. */
  async function assertRefused(...lines: string[]): Promise<void> {
    await warm();
    for (const behind of ['', smuggled]) {
      const client = await RawClient.connect(worker.port);
      try {
        client.send(head(...lines) + behind);
        await client.closed();
        const text = client.pending.toString('latin1');
        const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status);
        if (behind === '' || statuses.length > 0) assert.deepEqual(statuses, ['400'], JSON.stringify(text));
      } finally {
        client.destroy();
      }
    }
  }

  for (const [name, fields] of Object.entries(hiding)) {
    for (const path of ['/a.txt', '/said', '/old']) {
      test(`${path} with ${name} is answered; who sent it deceives nobody else`, async () => {
        const status = await answered(`GET ${path} HTTP/1.1`, 'Host: h', ...fields);
        assert.equal(status, path === '/old' ? 301 : 200);
      });

      for (const via of spokenForBy) {
        test(`${path} with ${name} and ${via} is refused, and nothing behind it is served`, async () => {
          await assertRefused(`GET ${path} HTTP/1.1`, 'Host: h', via, ...fields);
        });
      }
    }

    for (const path of ['/app/', '/missing', '/a%2etxt', '/a.txt?x=1']) {
      test(`${path} with ${name} is refused where it is not answered at a glance`, async () => {
        origin.forget();
        await assertRefused(`GET ${path} HTTP/1.1`, 'Host: h', ...fields, 'If-Modified-Since: x');
        assert.deepEqual(origin.requests, []);
      });
    }

    test(`with trusted proxies, ${name} is refused everywhere`, async () => {
      await worker.reload(yaml('trustedProxies: [192.0.2.0/24]'));
      for (const path of ['/a.txt', '/said', '/old']) {
        await assertRefused(`GET ${path} HTTP/1.1`, 'Host: h', ...fields);
      }
      await worker.reload(yaml(''));
    });
  }

  test('a client that wants the connection closed is obeyed', async () => {
    const client = await RawClient.connect(worker.port);
    client.send(head('GET /a.txt HTTP/1.1', 'Host: h', 'Connection: TE, close'));
    assert.equal((await client.response()).field('connection'), 'close');
    await client.closed();
    client.destroy();
  });

  test('a Host that is none, and a target with a fragment, are refused', async () => {
    await assertRefused('GET /a.txt HTTP/1.1', 'Host: a/b');
    await assertRefused('GET /a.txt HTTP/1.1', 'Host:');
    await assertRefused('GET /a.txt#x HTTP/1.1', 'Host: h');
  });

  test('conditions that a glance does not decide are obeyed', async () => {
    const since = 'If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT';
    assert.equal(await answered('GET /a.txt HTTP/1.1', 'Host: h', since), 304);
    assert.equal(await answered('GET /a.txt HTTP/1.1', 'Host: h', 'If-Match: "other"'), 412);
    assert.equal(await answered('GET /a.txt HTTP/1.1', 'Host: h', 'Range: bytes=1-2'), 206);
    const etag = await etagOf('/a.txt');
    assert.equal(await answered('GET /a.txt HTTP/1.1', 'Host: h', `If-None-Match: ${etag}`), 304);
    assert.equal(await answered('GET /a.txt HTTP/1.1', 'Host: h', 'If-None-Match: "a"', `If-None-Match: ${etag}`), 304);
  });
});
