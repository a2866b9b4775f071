import assert from 'node:assert/strict';
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, renameSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { AccessLog } from '../../../src/log/access-log.ts';
import { metricNames } from '../../../src/metrics/names.ts';
import { FakeExchange } from '../../support/fake-exchange.ts';
import { FakeRecorder } from '../../support/fake-recorder.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { waitFor } from '../../support/wait-for.ts';

const program = fileURLToPath(new URL('../../fixtures/access-log-process.ts', import.meta.url));
const whole = /^192\.0\.2\.1 - - \[[^\]]+\] "GET \/(\w+)\/(\d+)\/x*(?:\.\.\.)? HTTP\/1\.1" 200 0 "-" "-"$/;

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portico-access-'));
  path = join(folder, 'access.log');
});
afterEach(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

/** Each line that is whole, as `name/number`; fails on any other. */
function lineNames(content: string): string[] {
  assert.ok(content.endsWith('\n'));
  return content
    .slice(0, -1)
    .split('\n')
    .map((line) => {
      const match = whole.exec(line);
      assert.ok(match, `not a whole line: ${line.slice(0, 200)}`);
      return `${match[1]}/${match[2]}`;
    });
}

test('processes that share a pipe never mix their lines', { timeout: 60_000 }, async () => {
  const names = ['one', 'two', 'three'];
  const node = `${process.execPath} --import tsx ${program} stdout`;
  const script = `${names.map((name) => `${node} ${name} 700 3000 &`).join(' ')} wait`;
  const shell = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = lineNames(await text(shell.stdout));
  assert.equal(lines.length, 2100);
  assert.equal(new Set(lines).size, 2100);
});

test('processes that share a file never mix their lines', { timeout: 60_000 }, async () => {
  const children = ['one', 'two'].map((name) =>
    spawn(process.execPath, ['--import', 'tsx', program, path, name, '3000', '500'], { stdio: 'inherit' }),
  );
  await Promise.all(children.map((child) => once(child, 'exit')));
  assert.equal(new Set(lineNames(readFileSync(path, 'utf8'))).size, 6000);
});

/** A process whose files may not grow beyond 100 KB: the write that meets the limit is cut in the middle of a line. */
async function limitedWriter(): Promise<{ child: ChildProcess; errors: () => string }> {
  const child = fork(program, [path, 'full', '2000', '300'], {
    execPath: '/bin/sh',
    execArgv: ['-c', `ulimit -f 200; exec ${process.execPath} --import tsx "$0" "$@"`],
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  });
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  await waitFor(() => errors.includes('EFBIG'), 'the limit to be met');
  return { child, errors: () => errors };
}

test('a disk that fills up and is freed costs no line and leaves none cut', { timeout: 60_000 }, async () => {
  const { child } = await limitedWriter();
  const before = readFileSync(path, 'utf8');
  truncateSync(path);
  // What the process holds fits into the room that is there now only in parts.
  await waitFor(() => readFileSync(path, 'utf8').length > 50_000, 'the log to go on');
  const closed = once(child, 'message');
  const cut = before.slice(before.lastIndexOf('\n') + 1);
  assert.notEqual(cut, '');
  let after = '';
  while (true) {
    const part = readFileSync(path, 'utf8');
    if (part.includes('/full/1999/')) {
      after += part;
      break;
    }
    after += part;
    truncateSync(path);
    await waitFor(() => readFileSync(path, 'utf8').length > 0, 'the log to go on');
  }
  child.send('close');
  await closed;
  // Of the cut line the part stands on a line of its own, and the line follows whole.
  const lines = `${before.slice(0, before.lastIndexOf('\n') + 1)}${after}`
    .split('\n')
    .filter((line) => whole.test(line));
  const numbers = new Set(lines.map((line) => whole.exec(line)?.[2]));
  for (let index = 0; index < 2000; index += 1) assert.ok(numbers.has(`${index}`), `line ${index}`);
});

test('a log that is moved away while the disk is full goes on whole in the new file', { timeout: 60_000 }, async () => {
  const { child, errors } = await limitedWriter();
  renameSync(path, `${path}.1`);
  child.send('reopen');
  await waitFor(() => {
    try {
      return readFileSync(path, 'utf8').length > 10_000;
    } catch {
      return false;
    }
  }, 'the new file');
  const answer = once(child, 'message');
  child.send('close');
  const [dropped] = await answer;
  const old = readFileSync(`${path}.1`, 'utf8');
  const kept = lineNames(old.slice(0, old.lastIndexOf('\n') + 1));
  const fresh = readFileSync(path, 'utf8');
  const next = lineNames(fresh.slice(0, fresh.lastIndexOf('\n') + 1));
  assert.equal(next[0], `full/${kept.length}`);
  assert.equal(new Set([...kept, ...next]).size + Number(dropped), 2000);
  assert.match(errors(), /the access log cannot be written/);
});

test('a line that cannot be made short enough for the pipe is cut in its fields, not in the middle', async () => {
  const recorder = new FakeRecorder();
  const log = new AccessLog({ format: 'json', path, flushInterval: 10 }, recorder, new RecordingLogger());
  const hostile = '\u0001'.repeat(30_000);
  const exchange = new FakeExchange({
    target: `/${hostile}`,
    host: hostile,
    fields: { 'User-Agent': hostile, Referer: hostile },
  });
  log.write(exchange.withContext('/'), performance.now());
  await log.close();
  const [line = ''] = readFileSync(path, 'utf8').split('\n');
  assert.ok(line.length < 65_536);
  assert.equal(JSON.parse(line).status, 499);
  assert.equal(recorder.value(metricNames.accessLogDropped), 0);
});

test('lines that are lost are counted and told of once a second, not once a line', async () => {
  const recorder = new FakeRecorder();
  const logger = new RecordingLogger();
  const log = new AccessLog({ format: 'combined', path: '/dev/full', flushInterval: 10 }, recorder, logger);
  const context = new FakeExchange({ target: `/${'x'.repeat(2000)}` }).withContext('/');
  for (let index = 0; index < 2000; index += 1) log.write(context, performance.now());
  await log.close();
  assert.equal(recorder.value(metricNames.accessLogDropped), 2000);
  assert.ok(logger.messages('warn').length <= 4, `${logger.messages().length}`);
  assert.ok(logger.messages('warn').some((message) => message.includes('dropped')));
});
