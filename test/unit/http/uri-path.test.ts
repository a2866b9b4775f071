import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { encodePath } from '../../../src/http/uri-path.ts';

describe('encodePath', () => {
  it('escapes what would end a path or could not stand in a field', () => {
    assert.equal(encodePath('/a b/ü?#%\r\n'), '/a%20b/%C3%BC%3F%23%25%0D%0A');
  });

  it('never names another host', () => {
    for (const path of ['//evil.example', '/\\evil.example', '/\\/evil.example', '\\\\evil.example', '///x']) {
      assert.match(encodePath(path), /^\/[^/\\%]/, path);
    }
  });

  it('is printable ASCII that resolves to the same host, whatever the path', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (path) => {
        const encoded = encodePath(`/${path}`);
        assert.match(encoded, /^[\x21-\x7e]+$/);
        assert.equal(new URL(encoded, 'http://own.example/x').host, 'own.example');
      }),
    );
  });
});
