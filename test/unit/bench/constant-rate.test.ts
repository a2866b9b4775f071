import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { before, type TestContext, test } from 'node:test';
import { buildConstantRate, runConstantRate } from '../../../bench/constant-rate.ts';
import { ensureDebianPackage } from '../../support/debian-package.ts';

const skip = ensureDebianPackage('build-essential', '/usr/bin/cc') ?? false;

async function listen(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

before(() => {
  if (skip === false) buildConstantRate();
});

const load = { path: '/', rate: 200, connections: 2, seconds: 1, warmUpSeconds: 0 };

test('every request that is due is sent and answered', { skip }, async (t) => {
  let requests = 0;
  const port = await listen(
    t,
    createServer((_, response) => {
      requests++;
      response.setHeader('Content-Length', 5).end('hello');
    }),
  );
  const tail = await runConstantRate({ ...load, port });
  assert.equal(tail.failures, 0);
  // One more asks how long an answer is.
  assert.equal(requests, 201);
  assert.ok(tail.p50Ms > 0 && tail.p50Ms <= tail.p99Ms && tail.p99Ms <= tail.maxMs);
});

test('a server that stalls is charged with the requests that could not be sent meanwhile', { skip }, async (t) => {
  let stalled = false;
  const held: (() => void)[] = [];
  const port = await listen(
    t,
    createServer((_, response) => {
      const answer = (): void => void response.setHeader('Content-Length', 2).end('ok');
      if (stalled) held.push(answer);
      else answer();
    }),
  );
  setTimeout(() => (stalled = true), 200).unref();
  setTimeout(() => {
    stalled = false;
    for (const answer of held) answer();
  }, 700).unref();
  const tail = await runConstantRate({ ...load, port });
  // Two connections hold two requests: without the correction two of two hundred would be slow.
  assert.equal(tail.failures, 0);
  assert.ok(tail.p99Ms > 300, `p99 ${tail.p99Ms}`);
  assert.ok(tail.sendLagP99Ms > 300, `lag ${tail.sendLagP99Ms}`);
});

test('wrong answers count as failures', { skip }, async (t) => {
  const port = await listen(
    t,
    createServer((_, response) => response.writeHead(500, { 'Content-Length': 2 }).end('no')),
  );
  const tail = await runConstantRate({ ...load, rate: 50, port });
  assert.equal(tail.failures, 50);
});
