import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { createJsonFormat } from '../../../src/log/json-format.ts';
import type { RequestContext } from '../../../src/request/request-context.ts';
import { PorticoError } from '../../../src/response/portico-error.ts';
import type { Route } from '../../../src/route/route.ts';
import { FakeExchange, type FakeRequest } from '../../support/fake-exchange.ts';

const format = createJsonFormat();
const times = { time: Date.UTC(2026, 10, 22, 7, 8, 9, 12), durationMs: 12.3456789 };

function request(fake: FakeRequest, status = 200): RequestContext {
  const exchange = new FakeExchange(fake);
  exchange.status = status;
  exchange.bytesSent = status === 0 ? 0 : 612;
  return exchange.withContext('/');
}

test('a plain request has every field that says something, and no other', () => {
  const context = request({ target: '/a?b' });
  assert.deepEqual(JSON.parse(format(context, times, 2048)), {
    request_id: context.requestId,
    time: '2026-11-22T07:08:09.012Z',
    client: '192.0.2.1',
    method: 'GET',
    target: '/a?b',
    protocol: 'HTTP/1.1',
    scheme: 'http',
    host: 'example.com',
    status: 200,
    bytes: 612,
    request_bytes: 0,
    duration_ms: 12.346,
  });
});

test('a proxied request tells route, server, tries and times', () => {
  const context = request({ fields: { Referer: 'r', 'User-Agent': 'u' } });
  context.requestIdValue = 'abc';
  context.route = { site: 'shop', name: '/api "x"' } as Route;
  context.upstream = {
    upstream: 'app',
    server: 'unix:/run/ä.sock',
    tries: 2,
    status: 200,
    connectMs: 0,
    headMs: 3.0004,
    totalMs: undefined,
  };
  const fields = JSON.parse(format(context, times, 2048));
  const expected = {
    request_id: 'abc',
    referer: 'r',
    user_agent: 'u',
    site: 'shop',
    route: '/api "x"',
    upstream: 'app',
    server: 'unix:/run/ä.sock',
    tries: 2,
    upstream_status: 200,
    upstream_connect_ms: 0,
    upstream_head_ms: 3,
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(fields[name], value, name);
  assert.equal('upstream_total_ms' in fields, false);
});

test('failures show: the code of the error, the client that went away', () => {
  const left = request({}, 0);
  (left.exchange as FakeExchange).aborted = true;
  assert.deepEqual(pick(left), { status: 499, aborted: true, error: undefined });
  const failed = request({}, 502);
  failed.error = new PorticoError('upstream_reset', 'detail');
  assert.deepEqual(pick(failed), { status: 502, aborted: undefined, error: 'upstream_reset' });
});

function pick(context: RequestContext) {
  const { status, aborted, error } = JSON.parse(format(context, times, 2048));
  return { status, aborted, error };
}

test('UTF-8 is readable, other bytes keep their Latin-1 characters, terminals are safe', () => {
  const agent = (bytes: Buffer) => {
    const text = format(request({ fields: { 'User-Agent': bytes.toString('latin1') } }), times, 2048);
    // oxlint-disable-next-line no-control-regex
    assert.doesNotMatch(text, /[\x00-\x1f\x7f-\x9f\u2028]/);
    return JSON.parse(text).user_agent;
  };
  assert.equal(agent(Buffer.from('Käse \u2028 "')), 'Käse \u2028 "');
  assert.equal(agent(Buffer.from([0x61, 0xff, 0x9b, 0x1b])), 'a\u00ff\u009b\u001b');
});

test('whatever a client sends, the line is one valid object with that value in it', () => {
  const byte = fc.string({ unit: fc.nat(255).map((code) => String.fromCharCode(code)), minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(byte, byte, (target, agent) => {
      const text = format(request({ target: `/${target}`, fields: { 'User-Agent': agent } }), times, 2048);
      assert.doesNotMatch(text, /[\r\n]/);
      const parsed = JSON.parse(text);
      const bytes = Buffer.from(agent, 'latin1');
      assert.ok(parsed.user_agent === agent || parsed.user_agent === bytes.toString('utf8'));
      assert.equal(parsed.status, 200);
    }),
  );
});

test('a time that makes no sense is 0', () => {
  for (const durationMs of [Number.NaN, -1, Number.POSITIVE_INFINITY]) {
    assert.equal(JSON.parse(format(request({}), { ...times, durationMs }, 2048)).duration_ms, 0);
  }
});

test('docs/logs.md has each field and no other', () => {
  const context = request({ fields: { Referer: 'r', 'User-Agent': 'u' } });
  (context.exchange as FakeExchange).aborted = true;
  context.requestIdValue = 'abc';
  context.route = { site: 'shop', name: '/' } as Route;
  context.upstream = { upstream: 'a', server: 's', tries: 1, status: 200, connectMs: 1, headMs: 1, totalMs: 1 };
  context.cache = { zone: 'default', result: 'miss', collapsed: true };
  context.coding = 'br';
  context.error = new PorticoError('upstream_incomplete', 'x');
  context.webSocket = { messagesIn: 1, messagesOut: 2, bytesIn: 3, closedBy: 'client', closeCode: 1000 };
  context.tunnel = { protocol: 'tcp', bytesIn: 4, closedBy: 'upstream', closeReason: 'end' };
  const line = format(context, times, 2048);
  const fields = Object.keys(JSON.parse(line));
  // A parser keeps the last of two fields with one name, so the line itself is looked at too.
  assert.equal([...line.matchAll(/"\w+":/g)].length, fields.length);
  const page = readFileSync(new URL('../../../docs/logs.md', import.meta.url), 'utf8');
  const documented = page
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name));
  assert.deepEqual(documented.toSorted(), fields.toSorted());
});
