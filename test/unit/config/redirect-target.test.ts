import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { redirectTargetMistake } from '../../../src/config/redirect-target.ts';

describe('the target of a redirect', () => {
  test('is a path or an absolute URL', () => {
    for (const target of ['/', '/new/', '/a?b=c#d', '/%20', 'https://example.com', 'http://example.com:8080/x?y']) {
      assert.equal(redirectTargetMistake(target), undefined, target);
    }
  });

  test('is refused when it could end the field, lead elsewhere or mean nothing', () => {
    const wrong = [
      '',
      'new',
      '//evil.example',
      '/a\r\nX: y',
      '/a b',
      '/é',
      '/\\evil.example',
      'javascript:alert(1)',
      'https://',
    ];
    for (const target of [...wrong, 'https:///x', 'https://a b', 'ftp://example.com/', '/a\0', 'http://[::1', '/<x>']) {
      assert.ok(redirectTargetMistake(target), JSON.stringify(target));
    }
  });
});
