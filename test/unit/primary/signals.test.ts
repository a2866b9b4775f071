import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { Signals } from '../../../src/primary/signals.ts';

test('each signal becomes its order', () => {
  const source = new EventEmitter();
  const orders: string[] = [];
  new Signals(source).listen((order, signal) => orders.push(`${signal} ${order}`));
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2']) source.emit(signal);
  assert.deepEqual(orders, ['SIGTERM stop', 'SIGINT stop', 'SIGHUP reload', 'SIGUSR2 reopen-logs']);
});

test('signals that come before anybody listens are kept, in order', () => {
  const source = new EventEmitter();
  const signals = new Signals(source);
  source.emit('SIGHUP');
  source.emit('SIGTERM');
  const orders: string[] = [];
  signals.listen((order) => orders.push(order));
  assert.deepEqual(orders, ['reload', 'stop']);
});

test('closed, it leaves the signals to the system again', () => {
  const source = new EventEmitter();
  new Signals(source).close();
  assert.deepEqual(source.eventNames(), []);
});
