import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readProxyHeader } from '../../../src/listener/proxy-header.ts';
import { type ClientEnds, clientEnds, proxyHeader } from '../../../src/upstream/proxy-header.ts';
import { FakeExchange } from '../../support/fake-exchange.ts';

const signature = '0d0a0d0a000d0a515549540a';

function ends(client: string, port: number, local: string, localPort: number): ClientEnds {
  return { client: { address: client, port }, local: { address: local, port: localPort } };
}

/** What the specification says byte for byte, by the ends of a connection. */
const cases: readonly (readonly [ends: ClientEnds | undefined, line: string, rest: string])[] = [
  [
    ends('192.0.2.1', 56_324, '198.51.100.7', 443),
    'PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n',
    '2111000cc0000201c6336407dc0401bb',
  ],
  [
    ends('2001:db8::1', 1, '2001:db8:0:1::2', 65_535),
    'PROXY TCP6 2001:db8::1 2001:db8:0:1::2 1 65535\r\n',
    '2121002420010db800000000000000000000000120010db80000000100000000000000020001ffff',
  ],
  // One end of each family: both in the larger one.
  [
    ends('192.0.2.1', 0, '2001:db8::2', 80),
    'PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 0 80\r\n',
    '2121002400000000000000000000ffffc000020120010db800000000000000000000000200000050',
  ],
  [
    ends('2001:db8::1', 7, '198.51.100.7', 80),
    'PROXY TCP6 2001:db8::1 ::ffff:198.51.100.7 7 80\r\n',
    '2121002420010db800000000000000000000000100000000000000000000ffffc633640700070050',
  ],
  // The engine does not know which address of the machine it was.
  [ends('192.0.2.1', 9, '', 80), 'PROXY TCP4 192.0.2.1 0.0.0.0 9 80\r\n', '2111000cc00002010000000000090050'],
  [
    ends('2001:db8::1', 9, '0.0.0.0', 80),
    'PROXY TCP6 2001:db8::1 :: 9 80\r\n',
    `2121002420010db8000000000000000000000001${'0'.repeat(32)}00090050`,
  ],
  [ends('', 0, '', 0), 'PROXY UNKNOWN\r\n', '20000000'],
  [ends('unknown', 9, '198.51.100.7', 80), 'PROXY UNKNOWN\r\n', '20000000'],
  [ends('fe80::1%eth0', 9, 'fe80::2', 80), 'PROXY UNKNOWN\r\n', '20000000'],
  [undefined, 'PROXY UNKNOWN\r\n', '20000000'],
];

describe('the header of the PROXY protocol', () => {
  for (const [given, line, rest] of cases) {
    const what = given === undefined ? 'no client' : `${given.client.address || 'a socket'} to ${given.local.address}`;

    test(`of version 1 says ${what}`, () => {
      assert.equal(proxyHeader('v1', given).toString('latin1'), line);
    });

    test(`of version 2 says ${what}`, () => {
      assert.equal(proxyHeader('v2', given).toString('hex'), signature + rest);
    });

    for (const version of ['v1', 'v2'] as const) {
      test(`of version ${version.slice(1)} for ${what} is understood by a listener of ours`, () => {
        const header = proxyHeader(version, given);
        const read = readProxyHeader(Buffer.concat([header, Buffer.from('GET / HTTP/1.1\r\n')]));
        assert.ok(typeof read === 'object');
        assert.equal(read.length, header.length);
        assert.deepEqual(read.peer, line.includes('UNKNOWN') ? undefined : given?.client);
      });
    }
  }
});

describe('the ends of a client connection', () => {
  const connection = { remoteAddress: '192.0.2.1', remotePort: 50_000, localPort: 8080, listener: '0.0.0.0:8080' };

  test('are the peer and the local address, where the engine knows it', () => {
    const context = new FakeExchange({ connection: { ...connection, localAddress: '198.51.100.7' } }).withContext();
    assert.deepEqual(clientEnds(context), ends('192.0.2.1', 50_000, '198.51.100.7', 8080));
  });

  test('have the address of the listener where the engine does not know', () => {
    for (const [listener, address] of [
      ['0.0.0.0:8080', '0.0.0.0'],
      ['127.0.0.1:8080', '127.0.0.1'],
      ['[2001:db8::5]:8080', '2001:db8::5'],
      [':8080', '0.0.0.0'],
      ['localhost:8080', '0.0.0.0'],
    ] as const) {
      const context = new FakeExchange({ connection: { ...connection, listener } }).withContext();
      assert.equal(clientEnds(context).local.address, address);
    }
  });

  test('have the client that a trusted proxy tells of, whose port nobody knows', () => {
    const context = new FakeExchange({ connection }).withContext();
    context.client = { address: '203.0.113.9', scheme: 'https', host: 'a.test', port: 443, trusted: true };
    assert.deepEqual(clientEnds(context).client, { address: '203.0.113.9', port: 0 });
  });
});
