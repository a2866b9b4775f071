import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FieldTables } from '../../../src/proxy/field-tables.ts';
import type { ProxyHandlerConfig } from '../../../src/proxy/proxy-config.ts';
import { RequestHeadWriter } from '../../../src/proxy/request-head-writer.ts';
import type { ClientIdentity } from '../../../src/request/client-identity.ts';
import { FieldKind } from '../../../src/upstream/field-name-table.ts';
import type { Server } from '../../../src/upstream/server.ts';
import { FakeExchange } from '../../support/fake-exchange.ts';
import { proxyConfig } from '../../support/proxied.ts';

const server = { address: { host: '10.0.0.1', port: 8000 }, keepsAlive: true } as Server;
const client: ClientIdentity = { address: '192.0.2.1', scheme: 'http', host: 'a', port: 80, trusted: false };

test('routes that say the same share their tables, in whatever order they say it', () => {
  const tables = new FieldTables();
  assert.equal(tables.requestLines(['x-a', 'x-b']), tables.requestLines(['x-b', 'x-a', 'x-b']));
  assert.equal(tables.forwarded(false, new Set(['x-a'])), tables.forwarded(false, new Set(['x-b'])));
  assert.equal(
    tables.responseNames(new Set(['x-a', 'x-b']), ['x-c']),
    tables.responseNames(new Set(['x-b', 'x-a']), ['x-c']),
  );
});

test('routes that say something else have tables of their own', () => {
  const tables = new FieldTables();
  assert.notEqual(tables.requestLines(['x-a']), tables.requestLines([]));
  assert.notEqual(tables.requestLines(['x-a', 'x-b']), tables.requestLines(['x-a']));
  const plain = tables.forwarded(false, new Set());
  assert.notEqual(plain, tables.forwarded(true, new Set()));
  assert.notEqual(plain, tables.forwarded(false, new Set(['x-real-ip'])));
  const removed = tables.responseNames(new Set(['x-a']), []);
  const handedOver = tables.responseNames(new Set(), ['x-a']);
  const name = Buffer.from('x-a');
  assert.equal(removed.lookUp(name, 0, name.length), FieldKind.drop);
  assert.equal(handedOver.lookUp(name, 0, name.length), FieldKind.directive);
});

test('requests on routes that share tables get the fields of their own route', () => {
  const tables = new FieldTables();
  const removes = (...remove: string[]) => ({ requestHeaders: { set: {}, remove } });
  const configs: [Partial<ProxyHandlerConfig>, wanted: RegExp, unwanted: RegExp][] = [
    [{}, /x-a: 1[\s\S]*x-user: me/, /Forwarded: /],
    [{ forwarded: true }, /\r\nForwarded: for=/, /$^/],
    [removes('x-a'), /x-user: me/, /x-a/],
    [{ identityFields: ['x-user'] }, /x-a: 1/, /x-user/],
    [
      removes('x-forwarded-host'),
      /X-Forwarded-For: 192\.0\.2\.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port/,
      /-Host/,
    ],
    [{ stripPrefix: true, prefix: '/p/' }, /^GET \/q HTTP/, /$^/],
    [{ host: 'upstream' }, /\r\nHost: 10\.0\.0\.1:8000\r\n/, /$^/],
  ];
  const writers = configs.map(([config]) => new RequestHeadWriter(proxyConfig(config), tables));
  for (const host of ['one.example', 'two.example', 'one.example']) {
    for (const [index, writer] of writers.entries()) {
      const context = new FakeExchange({ host, target: '/p/q', fields: { 'x-a': '1', 'x-user': 'me' } }).withContext();
      context.client = { ...client, host };
      const text = writer.write(context, server, 0);
      const [, wanted, unwanted] = configs[index] as (typeof configs)[number];
      assert.match(text, wanted);
      assert.doesNotMatch(
        text.replace(/X-Forwarded-\w+: \S+\r\n(?=[^])/g, (line) => (index === 0 ? '' : line)),
        unwanted,
      );
      if (index !== 4) assert.ok(text.includes(`\r\nX-Forwarded-Host: ${host}\r\n`));
    }
  }
});
