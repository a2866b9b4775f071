import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { logQueueMigration, queuesMigrate } from '../../../src/primary/queue-migration.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';

test('the setting is read as the kernel shows it, and may be missing', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'portico-sysctl-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'tcp_migrate_req');
  assert.equal(queuesMigrate(file), undefined);
  writeFileSync(file, '0\n');
  assert.equal(queuesMigrate(file), false);
  writeFileSync(file, '1\n');
  assert.equal(queuesMigrate(file), true);
});

test('what it means is said in one line', () => {
  for (const [migrate, pattern] of [
    [true, /is on: .* go to another one/],
    [false, /is 0: .* are reset/],
    [undefined, /no net\.ipv4\.tcp_migrate_req: .* are reset/],
  ] as const) {
    const logger = new RecordingLogger();
    logQueueMigration(logger, migrate);
    const [line = '', ...more] = logger.messages('debug');
    assert.deepEqual(more, []);
    assert.match(line, pattern);
  }
});
