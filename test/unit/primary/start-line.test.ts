import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../../../src/config/config.ts';
import { startLine } from '../../../src/primary/start-line.ts';

const facts = { version: '0.1.0', engine: 'uWebSockets.js 20.69.0', startMs: 240.4 };

test('the ready line names addresses, workers, engine, admin listener and time', () => {
  const config = {
    listen: [listener('127.0.0.1', 8080)],
    admin: listener('127.0.0.1', 9180),
    workers: 2,
  } as unknown as Config;
  assert.equal(
    startLine({ ...facts, config }),
    'portico 0.1.0 ready on http://127.0.0.1:8080 (2 workers, uWebSockets.js 20.69.0, admin http://127.0.0.1:9180) in 240 ms',
  );
});

test('IPv6 addresses stand in brackets, no host means every address, one worker is one', () => {
  const config = {
    listen: [listener('::1', 80), listener(undefined, 81)],
    admin: undefined,
    workers: 1,
  } as unknown as Config;
  assert.equal(
    startLine({ ...facts, config }),
    'portico 0.1.0 ready on http://[::1]:80 http://0.0.0.0:81 (1 worker, uWebSockets.js 20.69.0, no admin listener) in 240 ms',
  );
});

function listener(host: string | undefined, port: number) {
  return { address: `${host}:${port}`, host, port };
}
