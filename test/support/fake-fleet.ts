import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Config } from '../../src/config/config.ts';
import { RestartPolicy } from '../../src/primary/restart-policy.ts';
import { WorkerFleet } from '../../src/primary/worker-fleet.ts';
import type { Target } from '../../src/primary/worker-slot.ts';
import { FakeForker, type FakeWorkerProcess } from './fake-worker-process.ts';
import { RecordingLogger } from './recording-logger.ts';

/** Configurations that differ in their number only. */
export const first: Target = { generation: 1, config: {} as Config };
export const second: Target = { generation: 2, config: {} as Config };

/** A fleet over workers without processes. */
export function makeFleet(t: TestContext, workers: number, fork?: () => never) {
  const forker = new FakeForker();
  const logger = new RecordingLogger();
  const events: string[] = [];
  let now = 0;
  const fleet = new WorkerFleet({
    workers,
    forkWorker: fork ?? forker.fork,
    restartPolicy: new RestartPolicy(() => now++),
    logger,
    events: {
      reported: (_slot, _report, workerKey) => void events.push(`reported ${workerKey}`),
      said: () => {},
      died: (slot, death) => void events.push(`died ${slot.number} ${death.cause}`),
      restarted: (slot) => void events.push(`restarted ${slot.number}`),
      changed: () => {},
      gaveUp: (explanation) => void events.push(`gaveUp ${explanation}`),
    },
  });
  // Its timers and replacements would outlive the test.
  t.after(() => fleet.kill('the test is over'));
  return { fleet, forker, logger, events };
}

/** The same, with every worker serving the first configuration. */
export async function servingFleet(t: TestContext, workers: number) {
  const made = makeFleet(t, workers);
  made.fleet.start();
  const applied = made.fleet.apply(first);
  for (const child of made.forker.processes) child.serve();
  assert.deepEqual(await applied, { ok: true });
  return made;
}

/** What a worker says and does at the end of its drain. */
export function finish(child: FakeWorkerProcess, cut: number): void {
  child.say({ type: 'drained', cut });
  child.exit(0);
}
