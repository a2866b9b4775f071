import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { createLogger, type LoggerOptions } from '../../../src/log/logger.ts';

const time = new Date('2026-11-22T07:08:09.123Z');

function capture(options: Partial<LoggerOptions> = {}) {
  const written: string[] = [];
  const stream = { write: (text: string) => written.push(text) };
  const logger = createLogger({
    level: 'debug',
    format: 'auto',
    stream,
    isTerminal: false,
    now: () => time,
    ...options,
  });
  return { logger, written };
}

test('without a terminal a line is JSON: time, level, message, fields', () => {
  const { logger, written } = capture();
  logger.child({ worker: '1' }).info('listening', { port: 8080, skipped: undefined });
  assert.deepEqual(written, [
    '{"time":"2026-11-22T07:08:09.123Z","level":"info","message":"listening","worker":"1","port":8080}\n',
  ]);
});

test('on a terminal a line is text', () => {
  const { logger, written } = capture({ isTerminal: true });
  logger.warn('server backed off', { server: '127.0.0.1:8000', error: 'two words', gone: undefined });
  // oxlint-disable-next-line no-control-regex
  const plain = written.join('').replace(/\u001b\[\d+m/g, '');
  assert.equal(plain, '2026-11-22T07:08:09.123Z WARN  server backed off server=127.0.0.1:8000 error="two words"\n');
  assert.notEqual(plain, written.join(''));
});

test('text that is not for a terminal has no colour', () => {
  const { logger, written } = capture({ format: 'text' });
  logger.error('no');
  assert.equal(written[0], '2026-11-22T07:08:09.123Z ERROR no\n');
});

test('lines below the level are not written', () => {
  const { logger, written } = capture({ level: 'warn' });
  logger.debug('a');
  logger.info('b');
  logger.warn('c');
  logger.error('d');
  assert.equal(written.length, 2);
});

test('an error shows its message, code, stack and cause', () => {
  const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
  const error = new Error('cannot connect', { cause });
  const json = capture();
  json.logger.error('failed', { error });
  const line = JSON.parse(json.written[0] as string);
  assert.equal(line.error.message, 'cannot connect');
  assert.match(line.error.stack, /logger\.test/);
  assert.equal(line.error.cause.code, 'ECONNREFUSED');
  const text = capture({ format: 'text' });
  text.logger.error('failed', { error });
  assert.match(
    text.written[0] as string,
    /^[^\n]* failed error="cannot connect"\n {4}Error: cannot connect\n {4} {4}at /,
  );
  assert.match(text.written[0] as string, /\n {4}caused by Error: refused\n/);
});

for (const format of ['text', 'json'] as const) {
  test(`nothing hostile in message, field or stack forges a line or drives a terminal (${format})`, () => {
    const { logger, written } = capture({ format });
    const hostile = 'x\n2026-11-22T00:00:00.000Z ERROR forged\r\u001b[2J\u009b31m\u2028\u202etxt';
    const error = new Error(hostile);
    logger.warn(hostile, { [hostile]: hostile, error });
    const lines = (written[0] as string).split('\n').slice(0, -1);
    for (const line of lines.slice(1)) assert.match(line, /^ {4}/);
    // oxlint-disable-next-line no-control-regex
    assert.doesNotMatch(written.join('').replaceAll('\n', ''), /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202e]/);
  });
}

test('fields cannot replace time, level or message', () => {
  const { logger, written } = capture();
  logger.info('real', { message: 'forged', level: 'debug', time: 0 });
  const line = JSON.parse(written[0] as string);
  assert.deepEqual([line.message, line.level, line['message_']], ['real', 'info', 'forged']);
});

test('whatever is in a field, the line is written', () => {
  const circular: Record<string, unknown> = { name: 'circle' };
  circular['self'] = circular;
  let deep: unknown = 'bottom';
  for (let index = 0; index < 10_000; index += 1) deep = [deep];
  const selfCaused = new Error('self');
  selfCaused.cause = selfCaused;
  const values = [circular, deep, 10n, Symbol('s'), () => 1, Number.NaN, new Map([['a', 1]]), new Set([1]), null];
  for (const format of ['text', 'json'] as const) {
    for (const value of [...values, new Date(Number.NaN), Buffer.alloc(1e6), Object.create(null), selfCaused]) {
      const { logger, written } = capture({ format });
      logger.info('message', { value });
      assert.equal(written.length, 1);
      assert.ok((written[0] as string).length < 17_000);
      if (format === 'json') assert.equal(JSON.parse(written[0] as string).message, 'message');
    }
  }
});

test('a line too long for collectors stays valid JSON', () => {
  const { logger, written } = capture();
  logger.info('m'.repeat(100_000), { value: '\u0001'.repeat(100_000) });
  const line = JSON.parse(written[0] as string);
  assert.equal(line.truncated, true);
  assert.ok((written[0] as string).length < 64_000);
});

test('a stream that throws, fails or does not drain never hurts the program', () => {
  for (const code of ['EPIPE', 'EAGAIN', 'ENOSPC']) {
    const throwing = {
      write: () => {
        throw Object.assign(new Error(code), { code });
      },
    };
    capture({ stream: throwing }).logger.error('x');
  }
  const stream = Object.assign(new EventEmitter(), { write: () => true });
  const { logger } = capture({ stream });
  stream.emit('error', new Error('EPIPE'));
  logger.error('still here');
  const written: string[] = [];
  const stuck = { write: (text: string) => written.push(text), writableLength: 2 ** 21 };
  capture({ stream: stuck }).logger.error('dropped');
  assert.equal(written.length, 0);
});

test('a getter that throws costs the line, not the program', () => {
  const { logger } = capture();
  const trap = {
    get value(): string {
      throw new Error('trap');
    },
  };
  logger.info('message', { trap });
});

test('another level and format are taken by the logger and its children', () => {
  const lines: string[] = [];
  const root = createLogger({ level: 'error', format: 'json', stream: { write: (line: string) => lines.push(line) } });
  const child = root.child({ worker: '1' });
  child.info('not yet');
  root.configure({ level: 'info', format: 'text' });
  child.info('now');
  assert.equal(lines.length, 1);
  assert.match(lines[0] as string, /now.*worker=1/);
});
