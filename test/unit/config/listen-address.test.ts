import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ListenAddress } from '../../../src/config/config.ts';
import { isLoopback, overlaps, parseListenAddress, sameAddress } from '../../../src/config/listen-address.ts';

function parsed(text: string): ListenAddress {
  const checked = parseListenAddress(text, '/srv');
  assert.ok('value' in checked, text);
  return checked.value;
}

describe('a listen address', () => {
  test('is a host and a port, an IPv6 address in brackets, or a port alone', () => {
    assert.deepEqual(parsed('127.0.0.1:8080'), { address: '127.0.0.1:8080', host: '127.0.0.1', port: 8080 });
    assert.deepEqual(parsed('[::1]:80'), { address: '[::1]:80', host: '::1', port: 80 });
    assert.deepEqual(parsed('localhost:0'), { address: 'localhost:0', host: 'localhost', port: 0 });
    assert.deepEqual(parsed(':443'), { address: ':443', host: undefined, port: 443 });
  });

  test('is refused in any other form', () => {
    const wrong = ['', ':', '8080', 'a', 'a:', ':65536', '1.2.3:80', '256.1.1.1:80', '[1.2.3.4]:80', '[]:80', '[::1]'];
    for (const text of [
      ...wrong,
      '::1:80',
      'a b:80',
      'http://a:80',
      'unix:',
      'unix:/run/\0',
      '*:80',
      ':80 ',
      '-a:80',
      ':8e1',
    ]) {
      assert.ok('mistake' in parseListenAddress(text, '/srv'), text);
    }
  });

  test('is the same in another spelling', () => {
    assert.ok(sameAddress(parsed('[0:0::1]:80'), parsed('[::1]:80')));
    assert.ok(sameAddress(parsed('LOCALHOST:80'), parsed('localhost:80')));
    assert.ok(!sameAddress(parsed(':80'), parsed('0.0.0.0:80')));
    assert.ok(!sameAddress(parsed('localhost:0'), parsed('localhost:0')));
  });

  test('overlaps with every host on the same port', () => {
    assert.ok(overlaps(parsed(':80'), parsed('127.0.0.1:80')));
    assert.ok(overlaps(parsed('127.0.0.1:80'), parsed('0.0.0.0:80')));
    assert.ok(overlaps(parsed('[::]:80'), parsed('127.0.0.1:80')));
    assert.ok(!overlaps(parsed('127.0.0.2:80'), parsed('127.0.0.1:80')));
    assert.ok(!overlaps(parsed(':80'), parsed(':81')));
  });

  test('is a Unix socket, the same one however its path is written', () => {
    const socket = { path: '/run/x.sock', mode: 0o660 };
    assert.deepEqual(parsed('unix:/run/x.sock'), { address: 'unix:/run/x.sock', host: undefined, port: 0, socket });
    assert.equal(parsed('unix:x.sock').socket?.path, '/srv/x.sock');
    assert.ok(sameAddress(parsed('unix:/run/x.sock'), parsed('unix:/run/../run/x.sock')));
    assert.ok(!sameAddress(parsed('unix:/run/x.sock'), parsed('unix:/run/y.sock')));
    assert.ok(!overlaps(parsed('unix:/run/x.sock'), parsed(':0')));
    assert.ok(isLoopback(parsed('unix:/run/x.sock')));
    assert.ok('mistake' in parseListenAddress(`unix:/${'x'.repeat(107)}`, '/'));
  });

  test('is known to be reached from this machine only', () => {
    assert.deepEqual(
      ['127.0.0.1:1', '127.1.1.1:1', '[::1]:1', 'localhost:1', ':1', '0.0.0.0:1', '10.0.0.1:1'].map((text) =>
        isLoopback(parsed(text)),
      ),
      [true, true, true, true, false, false, false],
    );
  });
});
