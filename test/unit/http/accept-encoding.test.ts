import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { codingQualities } from '../../../src/http/accept-encoding.ts';

describe('codingQualities', () => {
  const cases: [field: string | undefined, br: number, gzip: number, identity: number][] = [
    [undefined, 0, 0, 1],
    ['', 0, 0, 1],
    ['gzip', 0, 1000, 1],
    ['gzip, deflate, br', 1000, 1000, 1],
    ['GZip;Q=0.5', 0, 500, 1],
    ['x-gzip', 0, 1000, 1],
    ['*', 1000, 1000, 1000],
    ['*;q=0', 0, 0, 0],
    ['gzip, *;q=0', 0, 1000, 0],
    ['br;q=0.25, *;q=0.5', 250, 500, 500],
    ['identity;q=0', 0, 0, 0],
    ['br;q=0, gzip ; q=0.001', 0, 1, 1],
    ['gzip;q=1.000', 0, 1000, 1],
    ['gzip;q=2', 0, 0, 1],
    ['gzip;q=', 0, 0, 1],
    ['gzip;q=0.1234', 0, 0, 1],
    ['gzip;q=-1', 0, 0, 1],
    ['gzip;level=9', 0, 1000, 1],
    ['gzip;q=0, gzip', 0, 0, 1],
    ['gzip, gzip;q=0', 0, 1000, 1],
    [',,gzip,', 0, 1000, 1],
    ['gzipped', 0, 0, 1],
  ];
  for (const [field, br, gzip, identity] of cases) {
    it(`reads ${field ?? 'no field'}`, () => {
      assert.deepEqual(codingQualities(field, ['br', 'gzip', 'identity']), [br, gzip, identity]);
    });
  }
});
