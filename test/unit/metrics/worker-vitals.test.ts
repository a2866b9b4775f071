import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metricNames } from '../../../src/metrics/names.ts';
import { WorkerVitals } from '../../../src/metrics/worker-vitals.ts';
import { FakeRecorder } from '../../support/fake-recorder.ts';

test('lag, memory and CPU time show under the label of the worker', () => {
  const recorder = new FakeRecorder();
  const vitals = new WorkerVitals(recorder, '3');
  const blockedUntil = performance.now() + 150;
  while (performance.now() < blockedUntil);
  vitals.sample();
  assert.ok(recorder.value(metricNames.workerEventLoopLag, { worker: '3' }) >= 0.1);
  assert.ok(recorder.value(metricNames.workerMemory, { worker: '3' }) > 1024 ** 2);
  const cpu = recorder.value(metricNames.workerCpu, { worker: '3' });
  assert.ok(cpu > 0.05);
  vitals.sample();
  vitals.close();
  assert.ok(recorder.value(metricNames.workerCpu, { worker: '3' }) >= cpu);
});
