import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { explain, explainNotStored } from '../../../../src/cache/policy/explanation.ts';
import { dateAfter, noon, plainRules, storedResponse } from '../../../support/cache-exchange.ts';

function sentences(seconds: number, lines: string[]): string {
  return explain(storedResponse(lines), noon + seconds * 1000, plainRules).sentences.join('\n');
}

describe('explain', () => {
  it('says until when it is fresh, and what decided', () => {
    const stored = storedResponse(['Cache-Control: max-age=60, stale-if-error=30', 'ETag: "a"', 'Age: 5']);
    const { sentences: said, ...values } = explain(stored, noon + 10_000, plainRules);
    assert.deepEqual(values, {
      state: 'fresh',
      age: 15,
      lifetime: 60_000,
      decidedBy: 'Cache-Control: max-age',
      freshUntil: noon + 55_000,
      staleWhileRevalidateUntil: noon + 55_000,
      staleIfErrorUntil: noon + 85_000,
    });
    assert.deepEqual(said, [
      `It is fresh for another 45 s, until ${dateAfter(55)} (lifetime 60 s, decided by Cache-Control: max-age).`,
      'Its age is 15 s, of which 5 s before it came here (Age, Date).',
      `Stale, it may be used when the upstream fails for 30 s: until ${dateAfter(85)}.`,
      'It can be validated by ETag "a".',
      'Requests with Authorization are not answered with it.',
    ]);
  });

  it('says how long it has been stale, and what is over', () => {
    const said = sentences(100, [
      'Cache-Control: public, max-age=60, stale-while-revalidate=10',
      `Last-Modified: ${dateAfter(-9)}`,
    ]);
    assert.match(said, /^It has been stale for 40 s; it was fresh until /);
    assert.match(said, /while it is renewed for 10 s: that time is over\./);
    assert.match(said, /validated by Last-Modified /);
    assert.doesNotMatch(said, /Authorization/);
  });

  it('says that times of grace do not count where they are forbidden', () => {
    const said = sentences(1, ['Cache-Control: s-maxage=60, stale-while-revalidate=10']);
    assert.match(said, /must not be used stale .*; stale-while-revalidate and stale-if-error do not count\./);
    assert.match(said, /no validator/);
  });

  it('says what no-cache means', () => {
    assert.match(
      sentences(1, ['Cache-Control: no-cache', 'ETag: "a"']),
      /^It is validated with the upstream before each use/,
    );
  });

  it('has a sentence for every reason not to store', () => {
    assert.match(explainNotStored('set-cookie'), /Set-Cookie/);
    assert.match(explainNotStored('nothing-said'), /ttl/);
  });
});
