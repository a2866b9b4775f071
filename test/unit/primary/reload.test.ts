import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../../../src/config/config.ts';
import type { LoadResult } from '../../../src/config/load.ts';
import type { ConfigProblem } from '../../../src/config/problem.ts';
import type { AdminChange } from '../../../src/primary/admin-endpoint.ts';
import { Reload } from '../../../src/primary/reload.ts';
import type { LoadedConfig } from '../../../src/primary/served-config.ts';
import type { TransitionResult } from '../../../src/primary/worker-fleet.ts';
import type { Target } from '../../../src/primary/worker-slot.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { waitForTurn } from '../../support/wait-for.ts';

test('a valid configuration comes into force with the next generation and is counted', async () => {
  const { reload, applied, counts, adminCalls } = makeReload([loaded({ hash: 'b' })]);
  await reload.request();
  assert.deepEqual(
    applied.map((target) => target.generation),
    [2],
  );
  assert.equal(reload.served.generation, 2);
  assert.equal(reload.served.hash, 'b');
  assert.deepEqual(counts, { success: 1, failure: 0 });
  assert.deepEqual(adminCalls, ['commit']);
  assert.equal(reload.last?.success, true);
});

test('a configuration with mistakes reaches no worker; each mistake is logged in a line', async () => {
  const problems = [problem('listen[0]', 'wrong address'), problem('workers', 'expected a number')];
  const { reload, applied, counts, logger } = makeReload([{ ok: false, problems }]);
  await reload.request();
  assert.deepEqual(applied, []);
  assert.deepEqual(counts, { success: 0, failure: 1 });
  assert.deepEqual(logger.messages('error'), [
    'reload refused, the former configuration goes on: 2 mistakes in the configuration',
    'portico.yaml:3:7: listen[0]: wrong address (allowed: other)',
    'portico.yaml:3:7: workers: expected a number (allowed: other)',
  ]);
  assert.equal(reload.served.generation, 1);
  assert.equal(reload.last?.success, false);
});

test('a configuration that the workers refuse is counted as a failure and the admin listener goes back', async () => {
  const { reload, counts, adminCalls, logger } = makeReload(
    [loaded({})],
    [{ ok: false, why: 'refused', reason: 'no such folder' }],
  );
  await reload.request();
  assert.deepEqual(counts, { success: 0, failure: 1 });
  assert.deepEqual(adminCalls, ['cancel']);
  assert.equal(reload.served.generation, 1);
  assert.match(logger.messages('error')[0] ?? '', /no such folder$/);
});

test('no generation is used twice, so that a late answer to a refused one cannot be mistaken', async () => {
  const { reload, applied } = makeReload(
    [loaded({}), loaded({})],
    [{ ok: false, why: 'failed', reason: 'late' }, { ok: true }],
  );
  await reload.request();
  await reload.request();
  assert.deepEqual(
    applied.map((target) => target.generation),
    [2, 3],
  );
  assert.equal(reload.served.generation, 3);
});

test('a loader that throws is a refused reload, not the end of the program', async () => {
  const { reload, counts } = makeReload([new Error('disk gone')]);
  await reload.request();
  assert.deepEqual(counts, { success: 0, failure: 1 });
  assert.equal(reload.last?.error, 'disk gone');
});

test('a reload asked for while one runs is done once more afterwards, however often it was asked for', async () => {
  const { reload, applied } = makeReload([loaded({}), loaded({}), loaded({})]);
  await Promise.all([reload.request(), reload.request(), reload.request()]);
  await waitForTurn(() => applied.length === 2, 'the second reload');
  assert.equal(applied.length, 2);
});

test('nothing is reloaded while stopping', async () => {
  const { reload, applied } = makeReload([loaded({})], [], () => false);
  await reload.request();
  assert.deepEqual(applied, []);
});

test('an address in use is refused before any worker hears of it', async () => {
  const occupied = { address: '192.0.2.1:80', host: '192.0.2.1', port: 80 };
  const { reload, applied, counts } = makeReload([loaded({ listen: [occupied] })]);
  await reload.request();
  assert.deepEqual(applied, []);
  assert.deepEqual(counts, { success: 0, failure: 1 });
  assert.match(reload.last?.error ?? '', /cannot listen on 192\.0\.2\.1:80/);
});

test('what a configuration changes is told once it is in force, and not when it is refused', async () => {
  const { reload, changes } = makeReload(
    [loaded({ workers: 8 }), loaded({ workers: 9 })],
    [{ ok: true }, { ok: false, why: 'refused', reason: 'no' }],
  );
  await reload.request();
  await reload.request();
  assert.deepEqual(changes, [[2, 8]]);
});

function config(changes: Partial<Config>): Config {
  const base = { listen: [], admin: undefined, upstreams: {}, workers: 2, limits: { headerSize: 32_768, bodySize: 1 } };
  return { ...base, ...changes } as unknown as Config;
}

function loaded({ hash = 'h', ...changes }: Partial<Config> & { hash?: string }): LoadedConfig {
  return { ok: true, config: config(changes), hash, warnings: [], source: 'portico.yaml' };
}

function problem(keyPath: string, message: string): ConfigProblem {
  return {
    file: 'portico.yaml',
    line: 3,
    column: 7,
    sourceLine: 'x: y',
    flag: undefined,
    keyPath,
    message,
    found: '',
    allowed: 'other',
  };
}

function makeReload(loads: (LoadResult | Error)[], results: TransitionResult[] = [], allowed = () => true) {
  const applied: Target[] = [];
  const adminCalls: string[] = [];
  const counts = { success: 0, failure: 0 };
  const changes: [number, number][] = [];
  const logger = new RecordingLogger();
  const change: AdminChange = {
    commit: async () => void adminCalls.push('commit'),
    cancel: async () => void adminCalls.push('cancel'),
  };
  const reload = new Reload({
    load: async () => {
      const next = loads.shift();
      if (next === undefined || next instanceof Error) throw next ?? new Error('loaded too often');
      return next;
    },
    apply: async (target) => {
      applied.push(target);
      return results.shift() ?? { ok: true };
    },
    admin: { prepare: async () => change },
    metrics: { reloadSucceeded: () => void counts.success++, reloadFailed: () => void counts.failure++ },
    logger,
    initial: { generation: 1, config: config({}), hash: 'a', source: 'portico.yaml', loadedAt: new Date(0) },
    changed: (former, next) => void changes.push([former.workers, next.workers]),
    allowed,
  });
  return { reload, applied, adminCalls, counts, changes, logger };
}

test('a reload that comes into force changes the log, a refused one does not', async () => {
  const { reload, logger } = makeReload([loaded({ log: { level: 'debug', format: 'json' } }), new Error('disk gone')]);
  await reload.request();
  assert.deepEqual(logger.settings, { level: 'debug', format: 'json' });
  logger.settings = undefined;
  await reload.request();
  assert.equal(logger.settings, undefined);
});
