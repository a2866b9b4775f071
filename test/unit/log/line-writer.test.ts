import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { LineWriter, type LineWriterOptions } from '../../../src/log/line-writer.ts';
import { waitFor } from '../../support/wait-for.ts';

let folder: string;
let dropped: number;
let errors: (string | undefined)[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portico-log-'));
  dropped = 0;
  errors = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

function writer(options: Partial<LineWriterOptions> = {}): LineWriter {
  return new LineWriter({
    path: join(folder, 'access.log'),
    flushIntervalMs: 10,
    onDropped: (lines) => (dropped += lines),
    onError: (error) => errors.push(error.code),
    ...options,
  });
}

/** A named pipe and a descriptor that reads it; nothing is read unless asked for. */
function namedPipe(): { path: string; fd: number } {
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  return { path, fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK) };
}

/** One read, or '' when there is nothing. */
function readSome(fd: number): string {
  const buffer = Buffer.alloc(65_536);
  try {
    return buffer.toString('utf8', 0, readSync(fd, buffer));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return '';
    throw error;
  }
}

test('lines are written after the flush interval, without anybody asking', async () => {
  const log = writer();
  log.append('one');
  log.append('zwei ä');
  await waitFor(() => readFileSync(join(folder, 'access.log'), 'utf8') === 'one\nzwei ä\n', 'the lines');
  await log.close();
});

test('the file is made readable for its owner and group only', async () => {
  const log = writer();
  await log.close();
  assert.equal(statSync(join(folder, 'access.log')).mode & 0o137, 0);
});

test('a file that cannot be opened is an error at once', () => {
  assert.throws(() => writer({ path: join(folder, 'missing', 'access.log') }), { code: 'ENOENT' });
  assert.throws(() => writer({ path: folder }), { code: 'EISDIR' });
});

test('many lines arrive whole and in order', async () => {
  const log = writer();
  const expected: string[] = [];
  for (let index = 0; index < 5000; index += 1) {
    const line = `${index} ${'x'.repeat(index % 300)}é`;
    expected.push(line);
    log.append(line);
    if (index % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await log.close();
  assert.deepEqual(readFileSync(join(folder, 'access.log'), 'utf8').split('\n').slice(0, -1), expected);
  assert.equal(dropped, 0);
});

test('reopening after a rename loses no line', async () => {
  const log = writer();
  const path = join(folder, 'access.log');
  let next = 0;
  for (let rotation = 0; rotation < 20; rotation += 1) {
    for (let count = 0; count < 700; count += 1) log.append(`line ${next++}`);
    if (rotation % 2 === 0) log.flush();
    renameSync(path, `${path}.${rotation}`);
    log.reopen();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await log.close();
  const files = [...Array.from({ length: 20 }, (_, rotation) => `${path}.${rotation}`), path];
  const lines = files.flatMap((file) => readFileSync(file, 'utf8').split('\n').slice(0, -1));
  assert.deepEqual(
    lines,
    Array.from({ length: next }, (_, index) => `line ${index}`),
  );
});

test('when reopening fails the old file goes on', async () => {
  const log = writer();
  const moved = `${folder}-moved`;
  renameSync(folder, moved);
  try {
    log.reopen();
    log.append('still here');
    await log.close();
    assert.deepEqual(errors, ['ENOENT']);
    assert.equal(readFileSync(join(moved, 'access.log'), 'utf8'), 'still here\n');
  } finally {
    rmSync(moved, { recursive: true });
  }
});

test('a full disk costs lines once the memory bound is reached, each of them counted', async () => {
  const log = writer({ path: '/dev/full' });
  const line = 'x'.repeat(999);
  for (let count = 0; count < 5000; count += 1) log.append(line);
  await waitFor(() => errors.includes('ENOSPC'), 'a full disk');
  assert.ok(dropped > 3500 && dropped < 4500, `${dropped}`);
  await log.close();
  assert.equal(dropped, 5000);
});

test('a pipe gets pieces of whole lines that are small enough to stay together', async () => {
  const { path, fd } = namedPipe();
  const log = writer({ path });
  assert.equal(log.maxLine, 4096);
  for (let index = 0; index < 100; index += 1) log.append(`${index} ${'y'.repeat(97)}`);
  log.flush();
  let received = '';
  await waitFor(() => {
    received += readSome(fd);
    return received.split('\n').length === 101;
  }, 'a hundred lines');
  await log.close();
  closeSync(fd);
  assert.ok(received.startsWith('0 y') && received.endsWith('y\n'));
});

test('a reader that does not read costs bounded memory and no time; what it reads later is whole', async () => {
  const { path, fd } = namedPipe();
  const log = writer({ path });
  const line = 'z'.repeat(999);
  const total = 5000;
  for (let index = 0; index < total; index += 1) {
    log.append(line);
    if (index % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(dropped > 3000, `${dropped}`);
  assert.deepEqual(errors, []);
  let received = '';
  await waitFor(() => {
    received += readSome(fd);
    return received.length === (total - dropped) * 1000;
  }, 'the lines that were not dropped');
  assert.ok(received.split('\n').every((text) => text === line || text === ''));
  await log.close();
  closeSync(fd);
});

test('closing gives up on a reader that does not read', { timeout: 10_000 }, async () => {
  const { path, fd } = namedPipe();
  const log = writer({ path });
  for (let index = 0; index < 200; index += 1) log.append('z'.repeat(999));
  await log.close();
  // A pipe holds 64 KB.
  assert.ok(dropped >= 100 && dropped < 200, `${dropped}`);
  log.append('too late');
  await log.close();
  closeSync(fd);
});

test('a reader that goes away is told of, and a new one gets what comes then', async () => {
  const { path, fd } = namedPipe();
  const log = writer({ path });
  closeSync(fd);
  log.append('kept');
  await waitFor(() => errors.includes('EPIPE'), 'a broken pipe');
  const again = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  let received = '';
  await waitFor(() => {
    received += readSome(again);
    return received === 'kept\n';
  }, 'the line that was kept');
  await log.close();
  closeSync(again);
  assert.equal(dropped, 0);
});
