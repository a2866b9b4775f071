import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseHostPattern } from '../../../src/config/host-pattern.ts';

describe('the host of a site', () => {
  test('comes out as the Host field brings it', () => {
    const hosts: [string, string][] = [
      ['Example.COM', 'example.com'],
      ['example.com.', 'example.com'],
      ['*.Example.com', '*.example.com'],
      ['bücher.example', 'xn--bcher-kva.example'],
      ['*.bücher.example', '*.xn--bcher-kva.example'],
      ['192.0.2.1', '192.0.2.1'],
      ['[2001:DB8::0:1]', '[2001:db8::1]'],
      ['localhost', 'localhost'],
    ];
    for (const [text, value] of hosts) assert.deepEqual(parseHostPattern(text), { value });
  });

  test('is refused in any other form', () => {
    const wrong = ['', '*', '*.', 'www.*', 'a.*.com', '**.com', 'a..b', '.example.com', 'a b', 'example.com:80', 'a/b'];
    for (const text of [...wrong, 'https://a.example', '::1', '*.[::1]', '0x7f.1:', '1.2.3', 'a\r\nb', '[a]']) {
      assert.ok('mistake' in parseHostPattern(text), JSON.stringify(text));
    }
  });
});
