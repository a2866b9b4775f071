import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { EngineFactory } from '../../../src/listener/engine.ts';
import type { Exchange } from '../../../src/listener/exchange.ts';
import { createNodeEngine } from '../../../src/listener/node-engine.ts';
import { createUwsEngine } from '../../../src/listener/uws-engine.ts';
import { type ContractServer, contractServer, get, plain, readBody } from '../../support/contract-server.ts';
import { RawClient } from '../../support/raw-client.ts';
import type { CanonicalRequest, Expectation, HostileRequest } from './hostile-request.ts';
import { hostileRequests } from './hostile-requests.ts';
import { expectationOnNode } from './on-node.ts';

process.env['UWS_HTTP_MAX_HEADERS_SIZE'] = String(32 * 1024);

/** A request as a handler saw it, with its body once that is complete. */
interface Seen {
  readonly exchange: Exchange;
  body: string | undefined;
}

const probe = '/probe';

async function serve(factory: EngineFactory): Promise<{ server: ContractServer; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = await contractServer(factory, (exchange) => {
    if (exchange.head.target === probe) {
      exchange.respond(plain, Buffer.from('probe'));
      return;
    }
    const request: Seen = { exchange, body: undefined };
    seen.push(request);
    readBody(exchange, (body) => {
      request.body = body.toString('latin1');
      exchange.respond(plain, Buffer.from('served'));
    });
  });
  return { server, seen };
}

/** Asks a second connection something, so that the first one has been read. */
async function passTheServer(server: ContractServer): Promise<void> {
  const client = await RawClient.connect(server.port);
  client.send(get(probe));
  await client.response();
  client.destroy();
}

async function judge(factory: EngineFactory, request: HostileRequest): Promise<void> {
  const { server, seen } = await serve(factory);
  const client = await RawClient.connect(server.port);
  try {
    client.send(request.bytes);
    await judgements[request.expected.outcome](request.expected as never, { client, server, seen });
  } finally {
    client.destroy();
    server.close();
  }
}

interface Case {
  readonly client: RawClient;
  readonly server: ContractServer;
  readonly seen: readonly Seen[];
}

type Of<Outcome extends Expectation['outcome']> = Extract<Expectation, { outcome: Outcome }>;

const judgements: { [Outcome in Expectation['outcome']]: (expected: Of<Outcome>, tried: Case) => Promise<void> } = {
  async refused({ status }, { client, seen }) {
    await client.closed();
    const answer = client.pending.toString('latin1');
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), JSON.stringify(answer));
    assert.equal(answer.split('HTTP/1.1 ').length, 2, 'more than one answer');
    assert.ok(
      seen.every(({ body }) => body === undefined),
      'a request was served',
    );
  },
  async unserved(_expected, { client, server, seen }) {
    await passTheServer(server);
    client.halfClose();
    await client.closed();
    assert.equal(client.pending.toString('latin1'), '');
    assert.deepEqual(seen, []);
  },
  async canonical({ request }, { client, server, seen }) {
    assert.equal((await client.response(request.method)).body.toString(), 'served');
    await passTheServer(server);
    assert.equal(seen.length, 1);
    assertSeen(seen[0], request);
  },
  async 'parser defect'({ seen: expected }, { server, seen }) {
    await passTheServer(server);
    await passTheServer(server);
    assert.equal(seen.length, expected.length, seen.map(({ exchange }) => exchange.head.target).join());
    for (const [index, request] of expected.entries()) {
      assertSeen(seen[index], request);
    }
  },
};

function assertSeen(seen: Seen | undefined, expected: CanonicalRequest): void {
  const { head } = seen?.exchange ?? assert.fail('nothing was seen');
  assert.deepEqual([head.method, head.target, seen?.body], [expected.method, expected.target, expected.body]);
  for (const [name, value] of Object.entries(expected.fields ?? {})) assert.equal(head.fields.get(name), value, name);
}

const engines: Readonly<
  Record<string, { factory: EngineFactory; expected: (request: HostileRequest) => Expectation }>
> = {
  'uWebSockets.js': { factory: createUwsEngine, expected: ({ expected }) => expected },
  'Node.js sockets': { factory: createNodeEngine, expected: expectationOnNode },
};

function suite(title: string, requests: readonly HostileRequest[], engine: keyof typeof engines): void {
  const { factory, expected } = engines[engine] ?? assert.fail(engine);
  describe(`${title}, ${engine}`, { concurrency: 8 }, () => {
    for (const row of requests) {
      const request = { ...row, expected: expected(row) };
      test(describeCase(request), () => judge(factory, request));
    }
  });
}

function describeCase({ name, expected }: HostileRequest): string {
  switch (expected.outcome) {
    case 'refused':
      return `a request with ${name} is refused with ${expected.status}`;
    case 'unserved':
      return `a request with ${name} is not served`;
    case 'canonical':
      return `a request with ${name} is understood as every parser would`;
    case 'parser defect':
      return `a request with ${name} is misread by the present builds: ${expected.defect}`;
  }
}

for (const engine of Object.keys(engines)) {
  for (const [title, requests] of Object.entries(hostileRequests)) suite(title, requests, engine);
}
