import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { readOptions } from '../../../bench/options.ts';
import { type RunFacts, SampleStore } from '../../../bench/sample-store.ts';

const facts: RunFacts = {
  host: 'a machine',
  commit: undefined,
  versions: { nginx: '1.2.3' },
  absent: {},
  rounds: 3,
  seconds: 2,
  quick: false,
  long: false,
};

test('an interrupted run goes on with the samples that it has', (t) => {
  const folder = mkdtempSync(`${tmpdir()}/portico-test-`);
  t.after(() => rmSync(folder, { recursive: true }));
  const file = `${folder}/samples.json`;
  const store = new SampleStore(facts, file);
  store.add('static-1k', 'nginx', { microsecondsPerUnit: 8 });
  store.fail('static-1k', 'h2o', 'does not listen');
  const resumed = SampleStore.resume({ ...facts }, file);
  assert.deepEqual(resumed.values('static-1k', 'nginx', 'microsecondsPerUnit'), [8]);
  // It gets another chance.
  assert.deepEqual(resumed.problems(), []);
});

test('a run with other servers or other options is not mixed with the interrupted one', (t) => {
  const folder = mkdtempSync(`${tmpdir()}/portico-test-`);
  t.after(() => rmSync(folder, { recursive: true }));
  const file = `${folder}/samples.json`;
  assert.throws(() => SampleStore.resume(facts, file), /there is no interrupted run/);
  new SampleStore(facts, file).add('static-1k', 'nginx', { microsecondsPerUnit: 8 });
  assert.throws(
    () => SampleStore.resume({ ...facts, seconds: 4 }, file),
    /other servers, another commit or other options/,
  );
  assert.throws(() => SampleStore.resume({ ...facts, versions: { nginx: '1.2.4' } }, file), /other servers/);
});

test('only a whole run may write the results, and an option without a number is refused', () => {
  const defaults = { program: 'dist/main.js', out: 'RESULTS.md' };
  assert.equal(readOptions([], defaults).out, 'RESULTS.md');
  assert.equal(readOptions(['--quick'], defaults).out, undefined);
  assert.equal(readOptions(['--only', 'nginx'], defaults).out, undefined);
  assert.equal(readOptions(['--quick', '--out', 'x.md'], defaults).out, 'x.md');
  assert.throws(() => readOptions(['--rounds', 'many'], defaults), /--rounds is "many"; expected a whole number/);
});
