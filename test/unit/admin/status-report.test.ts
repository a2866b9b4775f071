import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildStatusReport, type StatusInput } from '../../../src/admin/status-report.ts';
import type { ServerState, WorkerState } from '../../../src/ipc/message.ts';

function worker(slot: number, servers: ServerState[]): StatusInput['workers'][number] {
  const state: WorkerState = {
    pid: 100 + slot,
    generation: 3,
    inFlight: slot,
    connections: 10,
    rssBytes: 50_000_000,
    listeners: [{ address: '0.0.0.0:8080', host: '0.0.0.0', port: 8080 }],
    servers,
    admissions: [{ upstream: 'app', queued: 2, held: slot, circuit: slot === 0 ? 'closed' : 'open' }],
  };
  return { slot, pid: state.pid, phase: 'ready', restarts: 0, state, reportedAt: 9_500 };
}

function server(name: string, up: boolean, active: number, lastError?: string): ServerState {
  const condition = up ? 'up' : 'backed-off';
  const state = { upstream: 'app', server: name, up, active, idle: 2, weight: 1, effectiveWeight: 1, backup: false };
  return { ...state, condition, ...(lastError === undefined ? {} : { lastError }) };
}

const input: StatusInput = {
  version: '0.1.0',
  engine: 'uWebSockets.js 20.69.0',
  pid: 99,
  startedAt: 1_000,
  now: 10_000,
  ready: true,
  reason: 'serving',
  config: { source: '/etc/portico.yaml', hash: 'abc', generation: 3, loadedAt: 2_000 },
  lastReload: { at: 8_000, success: false, error: 'sites: expected a list' },
  workers: [
    worker(0, [server('a:1', true, 1), server('b:1', false, 0, 'refused'), server('c:1', false, 0, 'refused')]),
    worker(1, [server('a:1', true, 4), server('b:1', true, 1), server('c:1', false, 0, 'timed out')]),
    { slot: 2, pid: undefined, phase: 'starting', restarts: 1, state: undefined, reportedAt: undefined },
  ],
};

test('upstream states are added up over the workers', () => {
  const weights = { weight: 1, effectiveWeight: 1, backup: false };
  assert.deepEqual(buildStatusReport(input).upstreams, [
    {
      name: 'app',
      queued: 4,
      held: 1,
      circuit: 'open',
      servers: [
        {
          server: 'a:1',
          state: 'up',
          condition: 'up',
          ...weights,
          active: 5,
          idle: 4,
          workersUp: 2,
          workers: 2,
          ejectedBy: 0,
        },
        {
          server: 'b:1',
          state: 'partly',
          condition: 'backed-off',
          ...weights,
          active: 1,
          idle: 4,
          workersUp: 1,
          workers: 2,
          ejectedBy: 0,
          lastError: 'refused',
        },
        {
          server: 'c:1',
          state: 'down',
          condition: 'backed-off',
          ...weights,
          active: 0,
          idle: 4,
          workersUp: 0,
          workers: 2,
          ejectedBy: 0,
          lastError: 'timed out',
        },
      ],
    },
  ]);
});

test('a server shows what its checks say and how many workers have ejected it', () => {
  const ejected = { ...server('a:1', false, 0, 'ejected: 5 failures in a row'), condition: 'ejected' as const };
  const report = buildStatusReport({
    ...input,
    workers: [
      worker(0, [ejected, server('b:1', false, 0)]),
      worker(1, [server('a:1', true, 0), server('b:1', true, 0)]),
    ],
    health: [
      { upstream: 'app', server: 'a:1', health: 'unknown' },
      { upstream: 'app', server: 'b:1', health: 'down', reason: 'status 503', checkedAt: 5_000 },
      { upstream: 'app', server: 'no-longer:1', health: 'up' },
    ],
  });
  const [first, second] = report.upstreams[0]?.servers ?? [];
  assert.deepEqual([first?.ejectedBy, first?.state, first?.health], [1, 'partly', 'unknown']);
  assert.deepEqual(
    [second?.health, second?.healthReason, second?.lastCheck],
    ['down', 'status 503', '1970-01-01T00:00:05.000Z'],
  );
  assert.equal(report.upstreams[0]?.servers.length, 2);
});

test('workers show what they said last and how long ago; one that has said nothing shows empty', () => {
  const { workers } = buildStatusReport(input);
  assert.equal(workers[1]?.inFlight, 1);
  assert.equal(workers[1]?.reportAgeSeconds, 0.5);
  assert.deepEqual(workers[1]?.listeners, ['0.0.0.0:8080']);
  assert.equal(workers[2]?.reportAgeSeconds, null);
  assert.equal(workers[2]?.restarts, 1);
});

test('it tells uptime, configuration and the last reload, as plain JSON', () => {
  const report = JSON.parse(JSON.stringify(buildStatusReport(input)));
  assert.equal(report.uptimeSeconds, 9);
  assert.deepEqual(report.config, {
    source: '/etc/portico.yaml',
    hash: 'abc',
    generation: 3,
    loadedAt: '1970-01-01T00:00:02.000Z',
  });
  assert.deepEqual(report.lastReload, {
    at: '1970-01-01T00:00:08.000Z',
    success: false,
    error: 'sites: expected a list',
  });
  assert.equal(buildStatusReport({ ...input, lastReload: undefined }).lastReload, null);
});
