import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCollections } from '../../../bench/gc-trace.ts';

test('collections are read as Node.js 20 and 24 write them', () => {
  const text = `[312:0x5581aa0]    14932 ms: Scavenge 21.3 (39.2) -> 20.1 (40.2) MB, 0.61 / 0.00 ms  (average mu = 0.995, current mu = 0.995) allocation failure;
some other line
[313:0x7f1aa0000:0]   124 ms: Mark-Compact 40.3 (59.2) -> 20.1 (50.2) MB, pooled: 2.0 MB, 1.91 / 0.01 ms  (+ 9.3 ms in 41 steps since start of marking, biggest step 2.4 ms, walltime since start of marking 30 ms) (average mu = 0.99, current mu = 0.99) finalize incremental marking via stack guard; GC in old space requested
[312:0x5581aa0]    15000 ms: Scavenge 22.3 (39.2) -> 20.1 (40.2) MB, pooled: 0 MB, 1.25 / 0.00 ms  (average mu = 0.995, current mu = 0.995) task;
`;
  assert.deepEqual(readCollections(text), [
    { pid: 312, kind: 'Scavenge', pauseMs: 0.61 },
    { pid: 313, kind: 'Mark-Compact', pauseMs: 2.4 },
    { pid: 312, kind: 'Scavenge', pauseMs: 1.25 },
  ]);
});
