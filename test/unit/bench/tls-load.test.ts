import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readH2loadReport } from '../../../bench/tls-load.ts';

test('the report of h2load is read with every kind of failure', () => {
  const text = `finished in 2.00s, 5000.50 req/s, 5.61MB/s
requests: 10010 total, 10012 started, 10007 done, 10000 succeeded, 1 failed, 2 errored, 3 timeout
status codes: 9990 2xx, 0 3xx, 4 4xx, 5 5xx
`;
  assert.deepEqual(readH2loadReport(text), { requests: 10_007, requestsPerSecond: 5000.5, failures: 15 });
  assert.throws(() => readH2loadReport('unable to connect'), /h2load gave no report/);
});
