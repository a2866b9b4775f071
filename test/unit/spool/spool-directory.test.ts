import assert from 'node:assert/strict';
import { closeSync, existsSync, fstatSync, mkdtempSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { metricNames } from '../../../src/metrics/names.ts';
import { SpoolDirectory } from '../../../src/spool/spool-directory.ts';
import { openNamed } from '../../../src/spool/spool-disk.ts';
import type { SpoolFailure, SpoolFile } from '../../../src/spool/spool-file.ts';
import { FailingSpoolDisk } from '../../support/failing-spool-disk.ts';
import { FakeRecorder } from '../../support/fake-recorder.ts';
import { KeptBodies } from '../../support/kept-bodies.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { waitFor } from '../../support/wait-for.ts';

let kept: KeptBodies | undefined;
afterEach(() => {
  kept?.close();
  kept = undefined;
});

function directory(size = 1024 ** 2): KeptBodies {
  return (kept = new KeptBodies({ size }));
}

function open(bodies: KeptBodies): SpoolFile {
  const file = bodies.spool.open();
  if ('kind' in file) assert.fail('no file');
  return file;
}

const write = (file: SpoolFile, bytes: Uint8Array, position: number): Promise<SpoolFailure | undefined> =>
  new Promise((resolve) => file.write(bytes, position, resolve));
const read = (file: SpoolFile, bytes: Uint8Array, position: number): Promise<SpoolFailure | undefined> =>
  new Promise((resolve) => file.read(bytes, position, resolve));

describe('a spool file', () => {
  test('gives back what was written, at any position, and has no name', async () => {
    const bodies = directory();
    const file = open(bodies);
    assert.deepEqual(bodies.names, []);
    assert.equal(await write(file, Buffer.from('begin'), 0), undefined);
    assert.equal(file.writeNow(Buffer.from('end'), 5), undefined);
    const memory = Buffer.alloc(6);
    assert.equal(await read(file, memory, 2), undefined);
    assert.equal(memory.toString(), 'ginend');
    assert.equal(bodies.recorder.value(metricNames.spoolBytes), 8);
    assert.equal(bodies.recorder.value(metricNames.spoolFiles), 1);
    file.close();
    assert.equal(bodies.recorder.value(metricNames.spoolBytes), 0);
    assert.equal(bodies.recorder.value(metricNames.spoolFiles), 0);
  });

  test('pays for what is written over only once', async () => {
    const bodies = directory();
    const file = open(bodies);
    for (let turn = 0; turn < 10; turn++) await write(file, Buffer.alloc(500_000), 0);
    assert.equal(bodies.spool.budget.used, 500_000);
  });

  test('is refused more than the budget of all files together', async () => {
    const bodies = directory(1000);
    const [first, second] = [open(bodies), open(bodies)];
    assert.equal(await write(first, Buffer.alloc(600), 0), undefined);
    assert.deepEqual(await write(second, Buffer.alloc(600), 0), { kind: 'full' });
    assert.deepEqual(second.writeNow(Buffer.alloc(600), 0), { kind: 'full' });
    first.close();
    assert.equal(await write(second, Buffer.alloc(600), 0), undefined);
    second.close();
    assert.equal(bodies.spool.budget.used, 0);
  });

  test('that is closed during an operation gives its descriptor back afterwards', async () => {
    const bodies = directory();
    const file = open(bodies);
    bodies.disk.hang();
    const written = write(file, Buffer.from('late'), 0);
    file.close();
    file.close();
    const other = open(bodies);
    bodies.disk.release();
    await written;
    assert.equal(await write(other, Buffer.from('mine'), 0), undefined);
    const memory = Buffer.alloc(4);
    await read(other, memory, 0);
    assert.equal(memory.toString(), 'mine', 'nobody else wrote into it');
    other.close();
  });

  test('is used again, emptied', async () => {
    const bodies = directory();
    for (let turn = 0; turn < 50; turn++) {
      const file = open(bodies);
      await write(file, Buffer.alloc(1000, 1), 0);
      file.close();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assert.ok(bodies.disk.openFiles.size <= 3, `${bodies.disk.openFiles.size} descriptors`);
    const file = open(bodies);
    const failure = await read(file, Buffer.alloc(4), 0);
    assert.equal(failure?.kind, 'failed', 'there is nothing in it');
    file.close();
  });
});

test('a file whose file system knows only files with names loses its name at once', () => {
  const bodies = directory();
  const path = join(bodies.folder, 'portico-spool-named');
  const fd = openNamed(path);
  try {
    assert.deepEqual(bodies.names, []);
    writeSync(fd, 'works');
    assert.equal(fstatSync(fd).mode & 0o777, 0o600);
    writeFileSync(path, 'somebody was first');
    assert.throws(() => openNamed(path), { code: 'EEXIST' });
  } finally {
    closeSync(fd);
  }
});

describe('a spool directory', () => {
  test('is made where it is missing, and swept of what an earlier process left', () => {
    const home = mkdtempSync(join(tmpdir(), 'portico-spool-test-'));
    const folder = join(home, 'deep', 'er');
    try {
      const make = (): SpoolDirectory =>
        new SpoolDirectory({ directory: folder, size: 1000 }, new FakeRecorder(), new RecordingLogger());
      make();
      assert.ok(existsSync(folder));
      writeFileSync(join(folder, 'portico-spool-0123456789abcdef01234567'), 'left');
      writeFileSync(join(folder, 'something-else'), 'not ours');
      make();
      assert.deepEqual(readdirSync(folder), ['something-else']);
    } finally {
      rmSync(home, { recursive: true });
    }
  });

  test('that cannot be used is logged once, and counted each time', () => {
    const disk = new FailingSpoolDisk();
    disk.failures.open = 'EACCES';
    disk.prepare = () => {};
    const [recorder, logger] = [new FakeRecorder(), new RecordingLogger()];
    const spool = new SpoolDirectory({ directory: '/nowhere', size: 1000 }, recorder, logger, disk);
    for (let turn = 0; turn < 3; turn++) assert.ok('kind' in spool.open());
    assert.deepEqual(logger.messages(), ['the spool cannot be used']);
    assert.equal(recorder.value(metricNames.spoolFailures, { reason: 'failed' }), 3);
  });

  test('takes another folder and size at reload; files in use stay where they are', async () => {
    const bodies = directory(1000);
    const other = mkdtempSync(join(tmpdir(), 'portico-spool-test-'));
    try {
      const before = open(bodies);
      await write(before, Buffer.from('kept'), 0);
      bodies.spool.configure({ directory: other, size: 2000 });
      assert.equal(await write(before, Buffer.alloc(1500), 4), undefined);
      const memory = Buffer.alloc(4);
      await read(before, memory, 0);
      assert.equal(memory.toString(), 'kept');
      before.close();
      await waitFor(() => bodies.disk.openFiles.size === 0, 'the file of the old folder to be closed');
      open(bodies).close();
    } finally {
      rmSync(other, { recursive: true });
    }
  });
});
