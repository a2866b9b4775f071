import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Shutdown } from '../../../src/primary/shutdown.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';

test('the first signal drains with the configured time and ends as asked', async () => {
  const { shutdown, workers, logger } = makeShutdown();
  assert.equal(shutdown.begun, false);
  const result = shutdown.request('SIGTERM', 30_000);
  assert.equal(shutdown.begun, true);
  assert.deepEqual(workers.calls, ['drain 30000']);
  workers.finish(0);
  assert.equal(await result, 'stopped');
  assert.match(logger.messages('info')[0] ?? '', /^SIGTERM: .* within 30s$/);
});

test('requests that were cut are named, and it still ends as asked', async () => {
  const { shutdown, workers, logger } = makeShutdown();
  const result = shutdown.request('SIGINT', 2_000);
  workers.finish(3);
  assert.equal(await result, 'stopped');
  assert.deepEqual(logger.messages('warn'), ['stopped; 3 requests were cut, not finished within 2s']);
});

test('a second signal kills the workers and waits for nothing', async () => {
  const { shutdown, workers } = makeShutdown();
  const first = shutdown.request('SIGTERM', 30_000);
  const second = shutdown.request('SIGTERM', 30_000);
  assert.deepEqual(workers.calls, ['drain 30000', 'kill']);
  assert.deepEqual(await Promise.all([first, second]), ['forced', 'forced']);
});

function makeShutdown() {
  const calls: string[] = [];
  let finish: (cut: number) => void = () => {};
  const workers = {
    calls,
    finish: (cut: number) => finish(cut),
    drain: (timeoutMs: number) => {
      calls.push(`drain ${timeoutMs}`);
      return new Promise<number>((resolve) => (finish = resolve));
    },
    kill: () => void calls.push('kill'),
  };
  const logger = new RecordingLogger();
  return { shutdown: new Shutdown(workers, logger), workers, logger };
}
