import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Exchange } from '../../../src/listener/exchange.ts';
import { contractServer, get, plain, request } from '../../support/contract-server.ts';
import { RawClient } from '../../support/raw-client.ts';
import type { Subject } from './contract.ts';

export function requestHeadContract({ factory, facts }: Subject): void {
  /** The exchange that the handler saw for those bytes. */
  async function seen(bytes: string, { connectTo = '127.0.0.1', dualStack = false } = {}): Promise<Exchange> {
    const server = await contractServer(factory, (exchange) => exchange.respond(plain, Buffer.from('x')), {
      host: dualStack ? undefined : '127.0.0.1',
    });
    let client: RawClient | undefined;
    try {
      client = await RawClient.connect(server.port, connectTo);
      client.send(bytes);
      await client.response(bytes.slice(0, bytes.indexOf(' ')));
      const [exchange] = server.exchanges;
      assert.ok(exchange !== undefined, server.events.join());
      assert.equal(exchange.connection.localPort, server.port);
      assert.ok([0, client.socket.localPort].includes(exchange.connection.remotePort));
      return exchange;
    } finally {
      client?.destroy();
      server.close();
    }
  }

  describe('the head of a request', () => {
    test('is kept as the client sent it, names in lower case', async () => {
      const { head } = await seen(get('/a/../b%2F//?q=%20&q', 'X-One: 1', 'Accept: a', 'accept: b'));
      assert.equal(head.method, 'GET');
      assert.equal(head.target, '/a/../b%2F//?q=%20&q');
      assert.equal(head.rawPath, '/a/../b%2F//');
      assert.equal(head.query, 'q=%20&q');
      assert.equal(head.host, 'example.com');
      const sent = ['host', 'example.com', 'x-one', '1', 'accept', 'a', 'accept', 'b'];
      assert.deepEqual(head.fields.entries, sent);
    });

    test('tells a bare question mark from none', async () => {
      assert.equal((await seen(get('/a?'))).head.query, '');
      assert.equal((await seen(get('/a?'))).head.target, '/a?');
      assert.equal((await seen(get('/a'))).head.query, undefined);
    });

    test('keeps the case of the method', async () => {
      for (const method of ['get', 'PURGE', 'M-SEARCH', 'x']) {
        assert.equal((await seen(request(method, '/'))).head.method, method);
      }
    });

    test('has the host in lower case, with its port', async () => {
      for (const [sent, host] of [
        ['EXAMPLE.com:8080', 'example.com:8080'],
        ['[::1]:80', '[::1]:80'],
        ['under_score', 'under_score'],
      ]) {
        assert.equal((await seen(`GET / HTTP/1.1\r\nHost: ${sent}\r\n\r\n`)).head.host, host);
      }
    });

    test('has field values byte for byte, one character each', async () => {
      const bytes = Buffer.from([0x78, 0x80, 0xc3, 0xa9, 0xff, 0x41, 0xe9, 0x78]).toString('latin1');
      const { head } = await seen(get('/', `X-Bytes: ${bytes}`, 'X-Ascii: plain'));
      assert.equal(head.fields.get('x-bytes'), bytes);
      assert.equal(head.fields.get('x-ascii'), 'plain');
    });

    test('outlives the request', async () => {
      const { head } = await seen(get('/kept', 'X-Kept: yes'));
      await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual([head.target, head.fields.get('x-kept')], ['/kept', 'yes']);
    });

    test('may be 20,000 bytes long', async () => {
      const { head } = await seen(get('/', ...Array.from({ length: 20 }, (_, i) => `X-${i}: ${'v'.repeat(990)}`)));
      assert.equal(head.fields.get('x-19'), 'v'.repeat(990));
    });
  });

  describe('the connection of a request', () => {
    test('names its listener', async () => {
      const { connection } = await seen(get());
      assert.deepEqual([connection.listener, connection.scheme], ['contract', facts.scheme]);
    });

    test('has an IPv4 peer of a dual-stack socket in dotted form', async () => {
      assert.equal((await seen(get(), { dualStack: true })).connection.remoteAddress, '127.0.0.1');
    });

    test('has an IPv6 peer in canonical form', async () => {
      assert.equal((await seen(get(), { connectTo: '::1', dualStack: true })).connection.remoteAddress, '::1');
    });
  });
}
