import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseServerUrl } from '../../../src/config/server-url.ts';

function parsed(text: string) {
  const checked = parseServerUrl(text, '/srv/site');
  assert.ok('value' in checked, text);
  return checked.value;
}

function mistake(text: string) {
  const checked = parseServerUrl(text, '/srv/site');
  assert.ok('mistake' in checked, text);
  return checked.mistake;
}

describe('the URL of a server', () => {
  test('is a host and a port, with or without http://', () => {
    const local = { name: '127.0.0.1:8000', scheme: 'http', address: { host: '127.0.0.1', port: 8000 } };
    for (const text of ['127.0.0.1:8000', 'http://127.0.0.1:8000', 'HTTP://127.0.0.1:8000/']) {
      assert.deepEqual(parsed(text), local);
    }
    assert.deepEqual(parsed('http://App_1.internal'), {
      name: 'app_1.internal:80',
      scheme: 'http',
      address: { host: 'app_1.internal', port: 80 },
    });
    assert.deepEqual(parsed('[::0:1]:8000'), {
      name: '[::1]:8000',
      scheme: 'http',
      address: { host: '::1', port: 8000 },
    });
  });

  test('is a socket path, absolute or relative to the file', () => {
    assert.deepEqual(parsed('unix:/run/app.sock'), {
      name: 'unix:/run/app.sock',
      scheme: undefined,
      address: { socketPath: '/run/app.sock' },
    });
    assert.deepEqual(parsed('unix:run/app.sock').address, { socketPath: '/srv/site/run/app.sock' });
    assert.deepEqual(parsed('unix:///run/app.sock').address, { socketPath: '/run/app.sock' });
  });

  test('has a socket path that fits into a socket address, counted in bytes', () => {
    assert.ok(parsed(`unix:/${'a'.repeat(106)}`));
    assert.match(mistake(`unix:/${'a'.repeat(107)}`).message, /too long: 108 bytes/);
    assert.match(mistake(`unix:/${'é'.repeat(54)}`).message, /too long: 109 bytes/);
  });

  test('is refused in any other form', () => {
    const wrong = [
      '',
      'http://',
      'ftp://a:1',
      '127.0.0.1',
      'app',
      ':8000',
      'a:0',
      'a:65536',
      '[::1]',
      '::1:8000',
      'a b:1',
    ];
    for (const text of [
      ...wrong,
      'http://u@a:1',
      'a:1?x',
      'a:1/x',
      'a:1#x',
      'unix:',
      'unix:\0',
      '0x7f.1:',
      '1.2.3:80',
    ]) {
      mistake(text);
    }
  });

  test('says by https:// that the server speaks TLS, on port 443 unless it says another', () => {
    assert.deepEqual(parsed('https://10.0.0.1:8443'), {
      name: '10.0.0.1:8443',
      scheme: 'https',
      address: { host: '10.0.0.1', port: 8443 },
    });
    assert.deepEqual(parsed('HTTPS://App.example/').address, { host: 'app.example', port: 443 });
    assert.deepEqual(parsed('https://[2001:db8::1]').address, { host: '2001:db8::1', port: 443 });
    assert.equal(
      mistake('https://app.example/path').message,
      'a server has no path, query or user name: "https://app.example/path"',
    );
  });

  test('is suggested where the intention is plain', () => {
    assert.equal(mistake('8000').suggestion, '127.0.0.1:8000');
    assert.equal(mistake('/run/app.sock').suggestion, 'unix:/run/app.sock');
    assert.equal(mistake('http://unix:/run/app.sock:').suggestion, 'unix:/run/app.sock');
    assert.equal(mistake('app.internal').suggestion, 'http://app.internal');
  });
});
