import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { EngineFactory } from '../../../src/listener/engine.ts';
import { createNodeEngine } from '../../../src/listener/node-engine.ts';
import { createUwsEngine } from '../../../src/listener/uws-engine.ts';
import { type InProcessWorker, startInProcessWorker } from '../../support/in-process-worker.ts';
import { RawClient } from '../../support/raw-client.ts';
import { SharedCapacity } from '../../support/shared-capacity.ts';
import { StrictOrigin, type UnderstoodRequest } from '../../support/strict-origin.ts';
import { waitFor } from '../../support/wait-for.ts';
import { forgedRequests } from './forged-requests.ts';
import { type Expectation, type HostileRequest, head } from './hostile-request.ts';
import { hostileRequests } from './hostile-requests.ts';
import { expectationOnNode } from './on-node.ts';

process.env['UWS_HTTP_MAX_HEADERS_SIZE'] = String(32 * 1024);

/** What must become of a request where the whole worker stands behind the engine. */
const engines: Readonly<
  Record<string, { factory: EngineFactory; expected: (request: HostileRequest) => Expectation }>
> = {
  'uWebSockets.js': { factory: createUwsEngine, expected: (request) => request.throughProxy ?? request.expected },
  'Node.js sockets': {
    factory: createNodeEngine,
    expected: (request) => request.throughProxy ?? expectationOnNode(request),
  },
};

for (const [engine, { factory, expected }] of Object.entries(engines)) {
  describe(`what reaches the application of a hostile request to ${engine}`, () => {
    let origin: StrictOrigin;
    let worker: InProcessWorker;

    before(async () => {
      origin = await StrictOrigin.start();
      worker = await startInProcessWorker(
        `
upstreams: { app: { servers: ["http://127.0.0.1:${origin.port}"] } }
sites: [{ routes: [{ path: /, proxy: { upstream: app } }] }]
`,
        undefined,
        new SharedCapacity(),
        undefined,
        factory,
      );
    });
    after(async () => {
      await worker.close();
      await origin.close();
    });

    const all = [...Object.values(hostileRequests).flat(), ...forgedRequests];
    for (const request of all.map((each) => ({ ...each, expected: expected(each) }))) {
      test(`a request with ${request.name}: ${outcome(request)}`, async () => {
        origin.forget();
        const client = await RawClient.connect(worker.port);
        try {
          client.send(request.bytes);
          await settled(client, request);
        } finally {
          client.destroy();
        }
        await passThrough(worker, origin);
        judge(request, origin);
      });
    }
  });
}

function outcome({ expected }: HostileRequest): string {
  if (expected.outcome === 'canonical') return 'one canonical request';
  return expected.outcome === 'parser defect' ? 'nothing but canonical requests' : 'nothing';
}

async function settled(client: RawClient, { expected }: HostileRequest): Promise<void> {
  if (expected.outcome === 'refused') await client.closed();
  if (expected.outcome === 'canonical') await client.response(expected.request.method);
}

/** Sends a request of our own behind it, so that whatever was to come has come. */
async function passThrough(worker: InProcessWorker, origin: StrictOrigin): Promise<void> {
  for (let round = 0; round < 2; round++) {
    const client = await RawClient.connect(worker.port);
    client.send(head(`GET /probe-${round} HTTP/1.1`, 'Host: probe'));
    await client.response();
    client.destroy();
    await waitFor(() => origin.requests.some(({ target }) => target === `/probe-${round}`), 'the probe');
  }
}

function judge({ expected, name }: HostileRequest, origin: StrictOrigin): void {
  assert.deepEqual(origin.complaints, [], 'the application got something that is not HTTP');
  const seen = origin.requests.filter(({ target }) => !target.startsWith('/probe-'));
  for (const request of seen) assertCanonical(request);
  switch (expected.outcome) {
    case 'refused':
    case 'unserved':
      return assert.deepEqual(seen, [], `${name}: a request reached the application`);
    case 'canonical': {
      const [request] = seen;
      assert.equal(seen.length, 1);
      assert.ok(request);
      const { method, target, body } = expected.request;
      assert.deepEqual([request.method, request.target, request.body], [method, target, body ?? '']);
      for (const [field, value] of Object.entries(expected.request.fields ?? {})) {
        assert.deepEqual(values(request, field), value === undefined ? [] : [value], field);
      }
      return;
    }
    case 'parser defect':
      assert.ok(seen.length <= expected.seen.length);
  }
}

/** Framed in one way only, with nothing of the connection before it, and true about the client. */
function assertCanonical(request: UnderstoodRequest): void {
  const framing = [...values(request, 'content-length'), ...values(request, 'transfer-encoding')];
  assert.ok(framing.length <= 1, `framed by ${framing.join(' and ')}`);
  assert.equal(values(request, 'host').length, 1);
  for (const name of ['upgrade', 'te', 'trailer', 'keep-alive', 'proxy-connection', 'proxy-authorization', 'expect']) {
    assert.deepEqual(values(request, name), [], name);
  }
  for (const [name] of request.fields) assert.doesNotMatch(name, /_/);
  assert.deepEqual(values(request, 'x-forwarded-for'), ['127.0.0.1']);
  assert.deepEqual(values(request, 'x-forwarded-proto'), ['http']);
  assert.deepEqual(values(request, 'x-real-ip'), ['127.0.0.1']);
}

function values(request: UnderstoodRequest, field: string): string[] {
  return request.fields.filter(([name]) => name.toLowerCase() === field).map(([, value]) => value);
}
