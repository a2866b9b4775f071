import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../../../src/config/config.ts';
import { isConfigured, ServerStates } from '../../../src/primary/server-states.ts';

const upstreams = {
  app: { servers: [{ name: 'a:1' }, { name: 'b:1' }], discovered: [] },
  named: { servers: [], discovered: [{ name: 'app.internal:8000' }] },
} as unknown as Config['upstreams'];

test('the last word on a server counts, and "configured" takes it back', () => {
  const states = new ServerStates();
  states.set({ upstream: 'app', server: 'a:1', state: 'drain' });
  states.set({ upstream: 'app', server: 'a:1', state: 'maintenance' });
  states.set({ upstream: 'app', server: 'b:1', state: 'ready' });
  assert.deepEqual(states.list, [
    { upstream: 'app', server: 'a:1', state: 'maintenance' },
    { upstream: 'app', server: 'b:1', state: 'ready' },
  ]);
  states.set({ upstream: 'app', server: 'a:1', state: 'configured' });
  assert.deepEqual(
    states.list.map(({ server }) => server),
    ['b:1'],
  );
});

test('a server that leaves the configuration is forgotten, one that a name stands for is not', () => {
  const states = new ServerStates();
  states.set({ upstream: 'app', server: 'a:1', state: 'drain' });
  states.set({ upstream: 'app', server: 'gone:1', state: 'drain' });
  states.set({ upstream: 'other', server: 'a:1', state: 'drain' });
  states.set({ upstream: 'named', server: '10.0.0.1:8000', state: 'drain' });
  states.keepOnly(upstreams);
  assert.deepEqual(states.list, [
    { upstream: 'app', server: 'a:1', state: 'drain' },
    { upstream: 'named', server: '10.0.0.1:8000', state: 'drain' },
  ]);
});

test('names of the language are no upstreams', () => {
  assert.equal(isConfigured(upstreams, 'app', 'b:1'), true);
  assert.equal(isConfigured(upstreams, 'constructor', 'b:1'), false);
});
