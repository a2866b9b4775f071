import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type InProcessWorker, startInProcessWorker } from '../../support/in-process-worker.ts';
import { RawClient } from '../../support/raw-client.ts';
import { ScriptedOrigin } from '../../support/scripted-origin.ts';

const ownFields = [
  'x-frame-options: DENY',
  'Access-Control-Allow-Origin: https://of-the-app.test',
  'Access-Control-Allow-Credentials: true',
  'Vary: Accept',
];

describe('what browsers are told', () => {
  const folder = mkdtempSync(join(tmpdir(), 'portico-browser-'));
  let origin: ScriptedOrigin;
  let worker: InProcessWorker;
  before(async () => {
    writeFileSync(join(folder, 'a.txt'), 'static');
    origin = await ScriptedOrigin.answering(
      `HTTP/1.1 200 OK\r\n${ownFields.join('\r\n')}\r\nContent-Length: 3\r\n\r\napp`,
    );
    worker = await startInProcessWorker(
      `
upstreams: { app: { servers: ["127.0.0.1:${origin.port}"] } }
sites:
  - securityHeaders: true
    routes:
      - { path: /, proxy: { upstream: app } }
      - { path: /off, securityHeaders: false, respond: { body: off } }
      - path: /policy
        securityHeaders: { contentSecurityPolicy: "default-src https:", contentSecurityPolicyReportOnly: true, reportTo: /reports, frameOptions: false }
        respond: {}
      - { path: /files, static: { root: "${folder}" } }
      - path: /api
        access: { deny: [0.0.0.0/0] }
        cors: { origins: ["https://shop.example", "https://*.example.com"], credentials: true, exposeHeaders: [X-Total] }
        proxy: { upstream: app }
      - path: /shared
        cors: { origins: ["https://shop.example", "https://*.example.com"], credentials: true, exposeHeaders: [X-Total], headers: [X-Token], maxAge: 1h }
        proxy: { upstream: app }
      - { path: /public, cors: { origins: ["*"] }, proxy: { upstream: app } }
`,
      folder,
    );
  });
  after(async () => {
    await worker.close();
    await origin.close();
    rmSync(folder, { recursive: true });
  });

  async function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> {
    // fetch of its own sets no Origin and lets it be set.
    const response = await fetch(`${worker.origin}${path}`, { headers, method });
    await response.arrayBuffer();
    return response;
  }
  const preflight = (path: string, from: string, headers = 'x-token'): Promise<Response> =>
    ask(
      path,
      { Origin: from, 'Access-Control-Request-Method': 'PUT', 'Access-Control-Request-Headers': headers },
      'OPTIONS',
    );

  describe('by the security headers', () => {
    test('is in every response: of files, of errors, of the application', async () => {
      for (const path of ['/', '/files/a.txt', '/files/nothing', '/policy']) {
        const { headers } = await ask(path);
        assert.equal(headers.get('x-content-type-options'), 'nosniff', path);
        assert.equal(headers.get('referrer-policy'), 'strict-origin-when-cross-origin', path);
      }
    });

    test('leaves what the application says', async () => {
      const { headers } = await ask('/');
      assert.equal(headers.get('x-frame-options'), 'DENY');
      assert.equal((await ask('/files/a.txt')).headers.get('x-frame-options'), 'SAMEORIGIN');
    });

    test('is nothing where a route wants none', async () => {
      const { headers } = await ask('/off');
      for (const name of ['x-content-type-options', 'x-frame-options', 'referrer-policy', 'permissions-policy']) {
        assert.equal(headers.has(name), false, name);
      }
    });

    test('can be a policy, and one to try, with reports', async () => {
      const { headers } = await ask('/policy');
      assert.equal(
        headers.get('content-security-policy'),
        'default-src https:; report-uri /reports; report-to portico',
      );
      assert.match(
        headers.get('content-security-policy-report-only') ?? '',
        /^default-src 'self'; .*report-uri \/reports/,
      );
      assert.equal(headers.get('reporting-endpoints'), 'portico="/reports"');
      assert.equal(headers.has('x-frame-options'), false);
      assert.equal(headers.has('cross-origin-opener-policy'), false);
    });
  });

  describe('about other origins', () => {
    test('is that those may read it which are named', async () => {
      for (const from of ['https://shop.example', 'https://a.example.com']) {
        const { headers } = await ask('/shared', { Origin: from });
        assert.equal(headers.get('access-control-allow-origin'), from);
        assert.equal(headers.get('access-control-allow-credentials'), 'true');
        assert.equal(headers.get('access-control-expose-headers'), 'X-Total');
        assert.equal(headers.get('vary'), 'Accept, Origin');
      }
    });

    test('is nothing for all others, whatever the application says', async () => {
      for (const from of ['https://of-the-app.test', 'https://example.com', 'null', 'https://shop.example.evil.test']) {
        const { headers } = await ask('/shared', { Origin: from });
        assert.equal(headers.has('access-control-allow-origin'), false, from);
        assert.equal(headers.has('access-control-allow-credentials'), false, from);
        assert.equal(headers.get('vary'), 'Accept, Origin');
      }
    });

    test('tells caches that it depends on the origin, also where none asks', async () => {
      assert.equal((await ask('/shared')).headers.get('vary'), 'Accept, Origin');
    });

    test('is nothing for several origins at once', async (t) => {
      const client = await RawClient.connect(worker.port);
      t.after(() => client.destroy());
      client.send(
        'GET /shared HTTP/1.1\r\nHost: a\r\nOrigin: https://shop.example\r\nOrigin: https://evil.test\r\n\r\n',
      );
      const { status, fields } = await client.response();
      assert.equal(status, 200);
      assert.doesNotMatch(JSON.stringify(fields), /access-control-allow/i);
    });

    test('is the same for everybody where everybody may read it', async () => {
      const { headers } = await ask('/public', { Origin: 'https://any.test' });
      assert.equal(headers.get('access-control-allow-origin'), '*');
      assert.equal(headers.has('access-control-allow-credentials'), false);
      assert.equal(headers.get('vary'), 'Accept');
    });

    test('answers preflights without the application', async () => {
      const count = origin.requests.length;
      const { status, headers } = await preflight('/shared', 'https://shop.example');
      assert.equal(status, 204);
      assert.equal(headers.get('access-control-allow-origin'), 'https://shop.example');
      assert.equal(headers.get('access-control-allow-methods'), 'GET, HEAD, POST, PUT, PATCH, DELETE');
      assert.equal(headers.get('access-control-allow-headers'), 'X-Token');
      assert.equal(headers.get('access-control-max-age'), '3600');
      assert.match(headers.get('vary') ?? '', /Origin/);
      assert.equal(origin.requests.length, count);
    });

    test('gives preflights of strangers nothing to go by', async () => {
      const { status, headers } = await preflight('/shared', 'https://evil.test');
      assert.equal(status, 204);
      assert.deepEqual(
        [...headers.keys()].filter((name) => name.startsWith('access-control')),
        [],
      );
    });

    test('allows the fields that a page asks for, when they are names', async () => {
      assert.equal(
        (await preflight('/public', 'https://a.test', 'x-a, x-b')).headers.get('access-control-allow-headers'),
        'x-a, x-b',
      );
      for (const wrong of ['x-a: 1', '"x"', 'x-a,,', `x${'-a'.repeat(1100)}`]) {
        assert.equal(
          (await preflight('/public', 'https://a.test', wrong)).headers.has('access-control-allow-headers'),
          false,
          wrong,
        );
      }
    });

    test('leaves other OPTIONS requests to the application', async () => {
      const count = origin.requests.length;
      assert.equal((await ask('/shared', { Origin: 'https://shop.example' }, 'OPTIONS')).status, 200);
      assert.equal(origin.requests.length, count + 1);
    });

    test('answers preflights, which come without credentials, before anybody is asked for some, and errors can be read', async () => {
      assert.equal((await preflight('/api', 'https://shop.example')).status, 204);
      const refused = await ask('/api', { Origin: 'https://shop.example' });
      assert.equal(refused.status, 403);
      assert.equal(refused.headers.get('access-control-allow-origin'), 'https://shop.example');
    });
  });
});
