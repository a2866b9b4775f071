import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPurgeRequest } from '../../../src/admin/cache-purge-request.ts';

const empty = { urls: [], prefixes: [], hosts: [], tags: [], everything: false, soft: false, zone: undefined };

test('a wish is read with all that it leaves out', () => {
  assert.deepEqual(readPurgeRequest({ tags: ['a'], soft: true }), { ...empty, tags: ['a'], soft: true });
  assert.deepEqual(readPurgeRequest({ everything: true, zone: 'media' }), {
    ...empty,
    everything: true,
    zone: 'media',
  });
});

const mistakes: readonly [body: unknown, message: RegExp][] = [
  [[], /JSON object/],
  [null, /JSON object/],
  [{}, /at least one of urls, prefixes, hosts, tags/],
  [{ soft: true }, /at least one of/],
  [{ tag: ['a'] }, /unknown key "tag"/],
  [{ tags: 'a' }, /tags: expected a list/],
  [{ urls: [1] }, /urls: expected a list/],
  [{ everything: 'yes' }, /everything: expected true or false/],
  [{ everything: true, tags: ['a'] }, /nothing to be named/],
  [{ tags: ['a'], zone: 1 }, /zone: expected/],
  [{ tags: Array.from({ length: 1001 }, String) }, /at most 1000/],
  [{ urls: ['x'.repeat(9000)] }, /urls: expected a list/],
];

for (const [body, message] of mistakes) {
  test(`${JSON.stringify(body)?.slice(0, 50)} is answered with what is wrong`, () => {
    const result = readPurgeRequest(body);
    assert.ok(typeof result === 'string');
    assert.match(result, message);
  });
}
