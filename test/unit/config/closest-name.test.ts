import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { closestName } from '../../../src/config/closest-name.ts';

const names = ['listen', 'limits', 'upstreams', 'sites', 'shutdownTimeout'];

describe('the name that was probably meant', () => {
  test('is found for a slip of the hand', () => {
    const slips: [string, string][] = [
      ['lisen', 'listen'],
      ['listten', 'listen'],
      ['lsiten', 'listen'],
      ['upstream', 'upstreams'],
      ['shutdown_timeout', 'shutdownTimeout'],
      ['SITES', 'sites'],
    ];
    for (const [slip, meant] of slips) assert.equal(closestName(slip, names), meant);
  });

  test('is not guessed when nothing is near', () => {
    for (const name of ['', 'x', 'proxy_pass', 'server', 'z'.repeat(10_000)]) {
      assert.equal(closestName(name, names), undefined);
    }
  });

  test('is the nearest of several', () => assert.equal(closestName('app1', ['app22', 'app', 'app12']), 'app'));
});
