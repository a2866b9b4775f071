import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CacheControlPolicy } from '../../../src/static/cache-control.ts';

describe('CacheControlPolicy', () => {
  const rules = [
    { match: '*.html', value: 'no-cache' },
    { match: '/img/**', value: 'max-age=60' },
    { match: '**/*.css', value: 'max-age=5' },
  ];

  it('takes the first rule that matches, before the recognised hash', () => {
    const policy = new CacheControlPolicy(rules, true);
    assert.equal(policy.of('index.html'), 'no-cache');
    assert.equal(policy.of('a/b/index.html'), 'no-cache');
    assert.equal(policy.of('img/a/b.png'), 'max-age=60');
    assert.equal(policy.of('base.523eb49842a7.css'), 'max-age=5');
    assert.equal(policy.of('base.523eb49842a7.js'), 'public, max-age=31536000, immutable');
    assert.equal(policy.of('base.js'), undefined);
  });

  it('leaves hashed names alone when told to', () => {
    assert.equal(new CacheControlPolicy([], false).of('base.523eb49842a7.js'), undefined);
  });
});
