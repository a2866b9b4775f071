import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { readReport } from '../../../bench/load-generator.ts';
import { routedTargets } from '../../../bench/portico.ts';
import { requestList } from '../../../bench/request-list.ts';
import { manyFilePaths } from '../../../bench/work-folder.ts';

test('the report of wrk is read with every kind of failure', () => {
  const text = `  2 threads
  Socket errors: connect 1, read 2, write 3, timeout 4
  Non-2xx or 3xx responses: 5
  1234 requests in 4.00s, 1.00MB read
Requests/sec:    308.50
`;
  assert.deepEqual(readReport(text), { requests: 1234, requestsPerSecond: 308.5, failures: 15 });
  assert.throws(() => readReport('unable to connect'), /wrk gave no report/);
});

test('a list of requests names the host of each, and is made once', (t) => {
  const folder = mkdtempSync(`${tmpdir()}/portico-test-`);
  t.after(() => rmSync(folder, { recursive: true }));
  let asked = 0;
  const list = requestList('some', () => {
    asked++;
    return ['/a', 'example.org /b'];
  });
  const script = list.writeScript(folder);
  assert.equal(list.writeScript(folder), script);
  assert.equal(asked, 1);
  assert.equal(readFileSync(`${folder}/some.list`, 'utf8'), 'localhost /a\nexample.org /b\n');
});

test('many files and many routes are all asked for, each once', () => {
  assert.equal(new Set(manyFilePaths(1000)).size, 1000);
  assert.equal(new Set(manyFilePaths(7919)).size, 7919);
  const targets = routedTargets({ hosts: 20, routesPerHost: 10 }, 'tcp');
  assert.equal(new Set(targets).size, 200);
  assert.equal(targets[0], 'site-0.example /tcp/0/128');
});
