import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Exchange, ExchangeHandler } from '../../../src/listener/exchange.ts';
import { createUwsEngine } from '../../../src/listener/uws-engine.ts';
import { metricNames } from '../../../src/metrics/names.ts';
import { normalizePath } from '../../../src/request/path.ts';
import { RequestContext } from '../../../src/request/request-context.ts';
import { respondError } from '../../../src/response/error-response.ts';
import { PorticoError } from '../../../src/response/portico-error.ts';
import { FailingDisk } from '../../support/failing-disk.ts';
import { RawClient } from '../../support/raw-client.ts';
import { StaticSite, type StaticSiteOptions } from '../../support/static-site.ts';
import { waitFor } from '../../support/wait-for.ts';

const megabyte = 1024 ** 2;

/** A static site on a port, without the rest of the pipeline. */
class ServedSite implements ExchangeHandler {
  readonly disk = new FailingDisk();
  readonly site: StaticSite;
  finishedCount = 0;
  port = 0;

  private constructor(test: TestContext, options: StaticSiteOptions) {
    this.site = new StaticSite(test, { disk: this.disk, ...options });
  }

  static async start(test: TestContext, options: StaticSiteOptions = {}): Promise<ServedSite> {
    const served = new ServedSite(test, options);
    const engine = createUwsEngine(served, {
      requestBodyMs: 60_000,
      sendMs: 60_000,
      minBodyRate: 0,
      minBodyRateGraceMs: 0,
    });
    served.port = await engine.listen({ address: '127.0.0.1:0', host: '127.0.0.1', port: 0 });
    test.after(() => engine.close());
    return served;
  }

  handle(exchange: Exchange): void {
    const context = new RequestContext(exchange, performance.now());
    exchange.context = context;
    const path = normalizePath(exchange.head.rawPath);
    if (path === undefined) return respondError(context, new PorticoError('path_invalid', 'refused'));
    context.path = path;
    this.site.handler.handle(context);
  }

  refuse(exchange: Exchange, error: PorticoError): void {
    respondError(exchange.context ?? new RequestContext(exchange, performance.now()), error);
  }

  finished(): void {
    this.finishedCount++;
  }

  async connect(test: TestContext): Promise<RawClient> {
    const client = await RawClient.connect(this.port);
    test.after(() => client.destroy());
    return client;
  }

  /** Nothing of any response is held any more. */
  async idle(): Promise<void> {
    await waitFor(
      () => this.disk.openFiles.size === 0 && this.site.buffers.lent === 0 && this.site.buffers.waiting === 0,
      'everything to be given back',
    );
  }
}

function get(target: string, ...fields: string[]): string {
  return `GET ${target} HTTP/1.1\r\nHost: a.example\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`;
}

describe('static files over uWebSockets.js', () => {
  it('come whole over one connection, small and large, cold and warm', async (test) => {
    const served = await ServedSite.start(test, {
      maxBytes: 4 * megabyte,
      maxFileBytes: megabyte,
      revalidateMs: 60_000,
    });
    const client = await served.connect(test);
    for (const size of [0, 1, 1000, 15_000, 16_000, 65_536, 65_537, 300_000, megabyte, megabyte + 1, 7 * megabyte]) {
      const contents = randomBytes(size);
      served.site.write(`f${size}`, contents);
      for (const round of ['cold', 'warm']) {
        client.send(get(`/f${size}`));
        const response = await client.response();
        assert.equal(response.status, 200);
        assert.equal(response.field('content-length'), String(size));
        assert.ok(response.body.equals(contents), `${size} bytes ${round}`);
      }
      client.send(`HEAD /f${size} HTTP/1.1\r\nHost: a\r\n\r\n`);
      assert.equal((await client.response('HEAD')).field('content-length'), String(size));
      client.send(get(`/f${size}`, 'If-None-Match: *'));
      assert.equal((await client.response()).status, 304);
    }
    await served.idle();
  });

  it('are answered in order when the requests come at once', async (test) => {
    const served = await ServedSite.start(test, { revalidateMs: 60_000 });
    served.site.write('a.txt', 'a');
    served.site.write('b.txt', 'bb');
    const client = await served.connect(test);
    for (const target of ['/a.txt', '/b.txt']) {
      client.send(get(target));
      await client.response();
    }
    client.send(get('/a.txt') + get('/b.txt') + get('/a.txt'));
    for (const body of ['a', 'bb', 'a']) assert.equal((await client.response()).body.toString(), body);
  });

  it('come in ranges, compressed, as redirects and as errors', async (test) => {
    const served = await ServedSite.start(test, { maxFileBytes: 1000 });
    const contents = randomBytes(2 * megabyte);
    served.site.write('large', contents);
    served.site.write('dir/index.html', 'index');
    served.site.write('dir/index.html.gz', 'zipped');
    const client = await served.connect(test);
    client.send(get('/large', 'Range: bytes=1000-1500000'));
    const range = await client.response();
    assert.equal(range.status, 206);
    assert.ok(range.body.equals(contents.subarray(1000, 1_500_001)));
    client.send(get('/large', 'Range: bytes=0-99,-100'));
    const several = await client.response();
    assert.equal(several.status, 206);
    assert.match(several.field('content-type') ?? '', /^multipart\/byteranges/);
    client.send(get('/dir/', 'Accept-Encoding: gzip'));
    const compressed = await client.response();
    assert.equal(compressed.field('content-encoding'), 'gzip');
    assert.equal(compressed.body.toString(), 'zipped');
    client.send(get('/dir?q'));
    assert.equal((await client.response()).field('location'), '/dir/?q');
    client.send(get('/large', 'Range: bytes=99999999-'));
    const beyond = await client.response();
    assert.equal(beyond.status, 416);
    assert.equal(beyond.field('content-range'), `bytes */${2 * megabyte}`);
    await served.idle();
  });

  it('show nothing outside the root to raw bytes', async (test) => {
    const served = await ServedSite.start(test);
    writeFileSync(join(served.site.outside, 'secret.txt'), 'the secret outside');
    served.site.write('.env', 'the secret outside');
    for (const target of [
      '/../outside/secret.txt',
      '/%2e%2e/outside/secret.txt',
      '/%2e%2e%2foutside%2fsecret.txt',
      '/..%5coutside%5csecret.txt',
      '/%252e%252e/outside/secret.txt',
      '/%c0%ae%c0%ae/outside/secret.txt',
      '//../outside/secret.txt',
      '/a/../../outside/secret.txt',
      '/.env',
      '/%2eenv',
      '/.env%00.css',
    ]) {
      const client = await served.connect(test);
      client.send(get(target));
      const response = await client.response();
      assert.ok(response.status === 404 || response.status === 400, `${target}: ${response.status}`);
      assert.ok(!response.body.includes('secret outside'));
    }
  });
});

describe('large static files over uWebSockets.js', () => {
  it('are cut when they are truncated while a slow client takes them', async (test) => {
    const served = await ServedSite.start(test, { maxFileBytes: 1000 });
    const path = served.site.write('large', randomBytes(40 * megabyte));
    const client = await served.connect(test);
    client.send(get('/large'));
    await client.receivedAtLeast(1000);
    client.pause();
    await waitFor(() => served.site.buffers.lent > 0, 'the client to fall behind');
    truncateSync(path, 1000);
    client.resume();
    await client.closed();
    assert.ok(client.pending.length < 40 * megabyte);
    assert.equal(served.site.recorder.value(metricNames.fileChangedWhileServed), 1);
    assert.equal(served.finishedCount, 1);
    await served.idle();
  });

  it('hold no more than the pool for clients that read nothing, and serve others meanwhile', async (test) => {
    const served = await ServedSite.start(test, { maxFileBytes: 1000, readBufferBytes: 4 * megabyte });
    const contents = randomBytes(20 * megabyte);
    served.site.write('large', contents);
    const dead: RawClient[] = [];
    for (let index = 0; index < 40; index++) {
      const client = await served.connect(test);
      client.pause();
      client.send(get('/large'));
      dead.push(client);
    }
    await waitFor(() => served.disk.openFiles.size === dead.length, 'all downloads');
    const client = await served.connect(test);
    client.send(get('/large'));
    assert.ok((await client.response()).body.equals(contents));
    assert.ok(served.site.buffers.lent <= 4 * megabyte);
    for (const one of dead) one.reset();
    await served.idle();
  });

  it('are let go when clients leave in the middle', async (test) => {
    const served = await ServedSite.start(test, { maxFileBytes: 1000 });
    served.site.write('large', randomBytes(10 * megabyte));
    for (let index = 0; index < 20; index++) {
      const client = await served.connect(test);
      client.send(get('/large'));
      await client.receivedAtLeast(1 + index * 50_000);
      if (index % 2 === 0) client.reset();
      else client.destroy();
    }
    await served.idle();
    await waitFor(() => served.finishedCount === 20, 'the end of all');
  });
});
