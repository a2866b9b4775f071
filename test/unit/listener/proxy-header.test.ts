import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { readProxyHeader } from '../../../src/listener/proxy-header.ts';

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const v4 = Buffer.from([192, 0, 2, 1, 198, 51, 100, 1, 0xdc, 0x04, 0x01, 0xbb]);
const v6 = Buffer.concat([
  Buffer.from('20010db8000000000000000000000001', 'hex'),
  Buffer.alloc(16),
  Buffer.from([0, 80, 1, 187]),
]);

function binary(command: number, family: number, payload: Buffer, length = payload.length): Buffer {
  const fixed = Buffer.from([command, family, length >> 8, length & 0xff]);
  return Buffer.concat([signature, fixed, payload]);
}

const line = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('a PROXY protocol header', () => {
  const good: readonly (readonly [what: string, header: Buffer, peer: object | undefined])[] = [
    [
      'of version 1 for IPv4',
      line('PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n'),
      { address: '192.0.2.1', port: 56_324 },
    ],
    ['of version 1 for IPv6', line('PROXY TCP6 2001:db8::1 ::1 1 65535\r\n'), { address: '2001:db8::1', port: 1 }],
    [
      'of version 1 for IPv4 within IPv6',
      line('PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n'),
      { address: '192.0.2.1', port: 1 },
    ],
    ['of version 1 for something unknown', line('PROXY UNKNOWN\r\n'), undefined],
    ['of version 1 for something unknown with addresses', line('PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n'), undefined],
    ['of version 2 for IPv4', binary(0x21, 0x11, v4), { address: '192.0.2.1', port: 56_324 }],
    ['of version 2 for IPv6', binary(0x21, 0x21, v6), { address: '2001:db8::1', port: 80 }],
    [
      'of version 2 with more behind the addresses',
      binary(0x21, 0x11, Buffer.concat([v4, Buffer.alloc(500, 4)])),
      { address: '192.0.2.1', port: 56_324 },
    ],
    ['of version 2 for a check of the proxy', binary(0x20, 0x00, Buffer.alloc(0)), undefined],
    ['of version 2 for a check with addresses', binary(0x20, 0x11, v4), undefined],
    ['of version 2 without addresses', binary(0x21, 0x00, Buffer.alloc(3)), undefined],
    ['of version 2 for Unix sockets', binary(0x21, 0x31, Buffer.alloc(216)), undefined],
  ];
  for (const [what, header, peer] of good) {
    test(`${what} is read, however it comes`, () => {
      for (let length = 0; length < header.length; length++) {
        assert.equal(readProxyHeader(header.subarray(0, length)), 'incomplete', `${length} bytes`);
      }
      const request = line('GET / HTTP/1.1\r\n\r\n');
      assert.deepEqual(readProxyHeader(Buffer.concat([header, request])), { length: header.length, peer });
    });
  }

  const bad: readonly (readonly [what: string, header: Buffer])[] = [
    ['a request', line('GET / HTTP/1.1\r\n')],
    ['a TLS handshake', Buffer.from('1603010200010001fc', 'hex')],
    ['small letters', line('proxy TCP4 192.0.2.1 198.51.100.1 1 2\r\n')],
    ['two spaces', line('PROXY  TCP4 192.0.2.1 198.51.100.1 1 2\r\n')],
    ['an address missing', line('PROXY TCP4 192.0.2.1 1 2\r\n')],
    ['something too much', line('PROXY TCP4 192.0.2.1 198.51.100.1 1 2 3\r\n')],
    ['the wrong family', line('PROXY TCP4 2001:db8::1 ::1 1 2\r\n')],
    ['another family', line('PROXY UDP4 192.0.2.1 198.51.100.1 1 2\r\n')],
    ['a name for an address', line('PROXY TCP4 localhost 198.51.100.1 1 2\r\n')],
    ['a leading zero in an address', line('PROXY TCP4 192.0.2.01 198.51.100.1 1 2\r\n')],
    ['a zone', line('PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n')],
    ['a port too high', line('PROXY TCP4 192.0.2.1 198.51.100.1 65536 2\r\n')],
    ['a leading zero in a port', line('PROXY TCP4 192.0.2.1 198.51.100.1 01 2\r\n')],
    ['a negative port', line('PROXY TCP4 192.0.2.1 198.51.100.1 -1 2\r\n')],
    ['a line feed alone', line(`PROXY TCP4 192.0.2.1 198.51.100.1 1 2\n${' '.repeat(100)}`)],
    ['a line without end', line(`PROXY UNKNOWN ${'x'.repeat(200)}`)],
    ['version 1 in binary', binary(0x11, 0x11, v4)],
    ['an unknown command', binary(0x22, 0x11, v4)],
    ['an unknown family', binary(0x21, 0x41, v4)],
    ['datagrams', binary(0x21, 0x12, v4)],
    ['addresses that are cut', binary(0x21, 0x11, v4.subarray(0, 11))],
    ['IPv6 in the space of IPv4', binary(0x21, 0x21, v4)],
    ['a payload without measure', binary(0x21, 0x11, v4, 60_000)],
  ];
  for (const [what, header] of bad) {
    test(`with ${what} is none`, () => assert.equal(readProxyHeader(header), 'malformed'));
  }

  test('is never read from what does not begin like one, and reading never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, signed) => {
        const data = Buffer.concat([signed ? signature : Buffer.alloc(0), bytes]);
        const read = readProxyHeader(data);
        if (typeof read === 'object') assert.ok(read.length <= data.length);
      }),
    );
  });
});
