import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseCacheControl } from '../../../src/http/cache-control.ts';

/** `name`, `name=value`; behind what is malformed a `!`. */
function read(field: string): string[] {
  return parseCacheControl(field).map(
    ({ name, value, malformed }) => `${name}${value === undefined ? '' : `=${value}`}${malformed ? '!' : ''}`,
  );
}

describe('parseCacheControl', () => {
  it('reads names in any case, tokens and quoted strings', () => {
    assert.deepEqual(read('Max-Age=60, public ,\tprivate="Set-Cookie, X-A",no-cache'), [
      'max-age=60',
      'public',
      'private=Set-Cookie, X-A',
      'no-cache',
    ]);
  });

  it('passes over empty members', () => {
    assert.deepEqual(read(''), []);
    assert.deepEqual(read(' , ,, '), []);
    assert.deepEqual(read(',public,,no-store,'), ['public', 'no-store']);
  });

  it('undoes escapes', () => {
    assert.deepEqual(read('a="\\"b\\\\c\\d"'), ['a="b\\cd']);
    assert.deepEqual(read('a="x\\"", b'), ['a=x"', 'b']);
  });

  it('says what is malformed, and goes on with the next member', () => {
    assert.deepEqual(read('max-age=, public'), ['max-age=!', 'public']);
    assert.deepEqual(read('max-age=1 2, public'), ['max-age=1 2!', 'public']);
    assert.deepEqual(read('max-age = 5, public'), ['max-age!', 'public']);
    assert.deepEqual(read('max-age="5" 6, public'), ['max-age=5!', 'public']);
    assert.deepEqual(read('=5, public'), ['=5', 'public']);
    assert.deepEqual(read('a=\u00e4, public'), ['a=\u00e4!', 'public']);
    assert.deepEqual(read('max-age=5;s-maxage=6'), ['max-age=5;s-maxage=6!']);
  });

  it('lets nothing hide behind a quote that is never closed', () => {
    assert.deepEqual(read('foo="bar, no-store, private'), ['foo="bar!', 'no-store', 'private']);
    assert.deepEqual(read('foo="bar\\", no-store'), ['foo="bar\\"!', 'no-store']);
  });

  it('finds a directive behind anything that holds no quote', () => {
    const noise = fc.string({ maxLength: 40 }).map((text) => text.replaceAll('"', ''));
    fc.assert(
      fc.property(noise, noise, (before, after) => {
        const names = parseCacheControl(`${before},no-store,${after}`).map(({ name }) => name);
        assert.ok(names.includes('no-store'));
      }),
    );
  });

  it('reads 64 KB of anything in linear time', () => {
    for (const unit of ['a="', ',', '\\"', '=', 'a=b,', '" ']) {
      const started = process.cpuUsage().user;
      parseCacheControl(unit.repeat(65_536 / unit.length));
      assert.ok(process.cpuUsage().user - started < 2_000_000, unit);
    }
  });
});
