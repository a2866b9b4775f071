import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Lookup, Resolver } from '../../../src/upstream/resolver.ts';

/** A look-up that a test answers by hand. */
function manualLookup() {
  const asked: { found: Parameters<Lookup>[1]; timeToLive: Parameters<Lookup>[2] }[] = [];
  const lookup: Lookup = (_host, found, timeToLive) => void asked.push({ found, timeToLive });
  const at = (index: number) => asked[index] ?? assert.fail('not looked up');
  return { asked, at, lookup };
}

describe('a resolver', () => {
  test('looks up once at a time, and again when the time to live is over', () => {
    const { asked, at, lookup } = manualLookup();
    const resolver = new Resolver('app', lookup);
    resolver.refresh(0);
    resolver.refresh(1);
    assert.equal(asked.length, 1);
    at(0).found(undefined, ['10.0.0.1']);
    at(0).timeToLive(5);
    resolver.refresh(4999);
    assert.equal(asked.length, 1);
    resolver.refresh(5000);
    assert.equal(asked.length, 2);
  });

  test('takes a time to live that comes before the addresses', () => {
    const { asked, at, lookup } = manualLookup();
    const resolver = new Resolver('app', lookup);
    resolver.refresh(0);
    at(0).timeToLive(3);
    at(0).found(undefined, ['10.0.0.1']);
    resolver.refresh(2999);
    assert.equal(asked.length, 1);
    resolver.refresh(3000);
    assert.equal(asked.length, 2);
  });

  for (const [seconds, expected] of [
    [0, 1000],
    [86_400, 60_000],
    [undefined, 10_000],
  ] as const) {
    test(`believes addresses with a time to live of ${seconds ?? 'nobody knows what'} for ${expected} ms`, () => {
      const { asked, at, lookup } = manualLookup();
      const resolver = new Resolver('app', lookup);
      resolver.refresh(0);
      at(0).found(undefined, ['10.0.0.1']);
      if (seconds !== undefined) at(0).timeToLive(seconds);
      resolver.refresh(expected - 1);
      assert.equal(asked.length, 1);
      resolver.refresh(expected);
      assert.equal(asked.length, 2);
    });
  }

  test('keeps former addresses while looking up and when that fails, and tries again soon', () => {
    const { asked, at, lookup } = manualLookup();
    const resolver = new Resolver('app', lookup);
    resolver.refresh(0);
    at(0).found(undefined, ['10.0.0.1']);
    resolver.refresh(20_000);
    assert.deepEqual(resolver.addresses, ['10.0.0.1']);
    at(1).found(new Error('server failure'), []);
    assert.deepEqual(resolver.addresses, ['10.0.0.1']);
    assert.match(resolver.error?.message ?? '', /server failure/);
    resolver.refresh(20_999);
    assert.equal(asked.length, 2);
    resolver.refresh(21_000);
    assert.equal(asked.length, 3);
  });

  test('tells those who wait, also of a failure', () => {
    const { at, lookup } = manualLookup();
    const resolver = new Resolver('app', lookup);
    let told = 0;
    resolver.refresh(0);
    resolver.whenResolved(() => told++);
    at(0).found(undefined, []);
    assert.equal(told, 1);
    assert.match(resolver.error?.message ?? '', /no address/);
  });

  test('looks up sooner when an address is in doubt', () => {
    const { asked, at, lookup } = manualLookup();
    const resolver = new Resolver('app', lookup);
    resolver.refresh(0);
    at(0).found(undefined, ['10.0.0.1']);
    resolver.doubt(2000);
    resolver.refresh(2999);
    assert.equal(asked.length, 1);
    resolver.refresh(3000);
    assert.equal(asked.length, 2);
  });
});
