import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AddressCensus } from '../../../src/limits/address-census.ts';
import { ConnectionGate, type ConnectionLimits } from '../../../src/limits/connection-gate.ts';
import { DescriptorWatch } from '../../../src/limits/descriptor-watch.ts';
import { KeyedHash } from '../../../src/limits/keyed-hash.ts';
import { type MemoryUse, MemoryWatch } from '../../../src/limits/memory-watch.ts';
import { metricNames } from '../../../src/metrics/names.ts';
import { FakeRecorder } from '../../support/fake-recorder.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';

const header = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';

function startGate(limits: Partial<ConnectionLimits>, { descriptors = 1000, open = 10 } = {}) {
  const machine = {
    open,
    counts: 0,
    table: header,
    looks: 0,
    now: 1000,
    memory: { used: 10, limit: 100 } as MemoryUse,
  };
  const recorder = new FakeRecorder();
  const logger = new RecordingLogger();
  const memory = new MemoryWatch([() => machine.memory]);
  const table = {
    limit: () => descriptors,
    count: () => {
      machine.counts += 1;
      return machine.open;
    },
  };
  const read = (path: string): string => {
    if (!path.endsWith('tcp')) return header;
    machine.looks += 1;
    return machine.table;
  };
  const gate = new ConnectionGate(recorder, logger, {
    descriptors: new DescriptorWatch(table, () => machine.now),
    memory,
    census: new AddressCensus(
      () => new Set([8080]),
      read,
      () => machine.now,
    ),
  });
  const none = { connections: false, connectionsPerAddress: false, descriptorReserve: 64, memoryPercent: 95 } as const;
  gate.configure({ ...none, ...limits }, new KeyedHash(Buffer.alloc(16)), 2);
  memory.close();
  const refused = (reason: string): number => recorder.value(metricNames.connectionsRefused, { reason });
  return { gate, machine, memory, logger, recorder, refused };
}

describe('the gate of connections', () => {
  test('lets in as many as are allowed, those at other workers included', () => {
    const { gate, refused } = startGate({ connections: 3 });
    const key = gate.total.find(0, 0).id;
    gate.total.learn(Float64Array.from([key, 1]));
    assert.deepEqual(
      [1, 2, 3].map(() => gate.admit('192.0.2.1', true)),
      [true, true, false],
    );
    gate.ended('192.0.2.1');
    assert.ok(gate.admit('192.0.2.1', true));
    assert.equal(refused('connections'), 1);
  });

  test('lets in so many of one address, by /64 in IPv6, where their end is told', () => {
    const { gate, logger } = startGate({ connectionsPerAddress: 2 });
    const addresses = ['2001:db8::1', '2001:db8::2', '2001:db8::3', '192.0.2.1', ''];
    assert.deepEqual(
      addresses.map((address) => gate.admit(address, true)),
      [true, true, false, true, true],
    );
    gate.ended('2001:db8::1');
    assert.ok(gate.admit('2001:db8::9', true));
    assert.equal(logger.entries.length, 1);
  });

  test('counts by the table of the kernel where their end is not told', () => {
    const { gate, machine, refused } = startGate({ connectionsPerAddress: 2 });
    const line = (state: string): string => `   0: 0100007F:1F90 0A0200C0:9C40 ${state} 00000000:00000000`;
    assert.deepEqual(
      [1, 2].map(() => gate.admit('192.0.2.10', false)),
      [true, true],
    );
    assert.equal(machine.looks, 0);
    machine.table = [header, line('01'), line('08'), line('01'), line('06')].join('\n');
    assert.ok(!gate.admit('192.0.2.10', false));
    assert.ok(gate.admit('192.0.2.11', false));
    assert.ok(!gate.admit('192.0.2.10', false));
    assert.equal(machine.looks, 1, 'a look costs something');
    machine.now += 100;
    machine.table = [header, line('01')].join('\n');
    assert.ok(gate.admit('192.0.2.10', false));
    assert.equal(refused('address'), 2);
  });

  test('looks at the table of the kernel when all workers together could have let in too many', () => {
    const { gate, machine } = startGate({ connectionsPerAddress: 4 });
    gate.total.learn(Float64Array.from([gate.total.find(0, 0).id, 3]));
    const line = '   0: 0100007F:1F90 0A0200C0:9C40 01 00000000:00000000';
    machine.table = [header, line, line, line, line, line].join('\n');
    assert.deepEqual(
      [1, 2, 3].map(() => gate.admit('192.0.2.10', false)),
      [true, true, false],
    );
    assert.equal(machine.looks, 1);
  });

  test('lets everybody in where the kernel has no such table', () => {
    const recorder = new FakeRecorder();
    const census = new AddressCensus(
      () => new Set([8080]),
      () => {
        throw new Error('ENOENT');
      },
    );
    for (let count = 0; count < 10; count++) assert.ok(!census.opens('192.0.2.1', 2, true));
    assert.equal(recorder.value(metricNames.connectionsRefused, { reason: 'address' }), 0);
  });

  test('counts the clients that are cut by reason, and logs each once in a while', () => {
    const { gate, logger, recorder } = startGate({});
    for (const reason of ['http2_flood', 'http2_flood', 'send_rate'] as const) gate.cut(reason);
    assert.equal(recorder.value(metricNames.connectionsCut, { reason: 'http2_flood' }), 2);
    assert.equal(recorder.value(metricNames.connectionsCut, { reason: 'send_rate' }), 1);
    assert.equal(logger.messages('warn').filter((line) => line.includes('limits.http2Resets')).length, 1);
  });

  test('keeps descriptors in reserve, and counts them seldom', () => {
    const { gate, machine, refused } = startGate({ descriptorReserve: 64 }, { descriptors: 1000, open: 10 });
    let admitted = 0;
    while (admitted < 2000 && gate.admit('', true)) {
      admitted += 1;
      machine.open += 1;
      machine.now += 1;
    }
    assert.ok(admitted > 850 && admitted <= 926, `${admitted} admitted`);
    assert.ok(machine.counts < 20, `${machine.counts} counts`);
    assert.equal(refused('descriptors'), 1);
    machine.open = 10;
    machine.now += 1000;
    assert.ok(gate.admit('', true));
  });

  test('lets connections in while it is configured anew, over and over', () => {
    const { gate, refused } = startGate({});
    for (let count = 0; count < 20; count++) {
      const limits = {
        connections: false,
        connectionsPerAddress: false,
        descriptorReserve: 64,
        memoryPercent: false,
      } as const;
      gate.configure(limits, new KeyedHash(Buffer.alloc(16)), 2);
      assert.ok(gate.admit('192.0.2.1', true));
    }
    assert.equal(refused('descriptors'), 0);
  });

  test('lets nobody in while memory runs low, and says so once a minute', () => {
    const { gate, machine, memory, logger, refused } = startGate({});
    machine.memory = { used: 96, limit: 100 };
    memory.check();
    for (let count = 0; count < 50; count++) assert.ok(!gate.admit('192.0.2.1', true));
    assert.equal(refused('memory'), 50);
    assert.deepEqual(logger.messages('warn'), ['refuses connections: memory runs low (limits.memoryPercent)']);
    machine.memory = { used: 90, limit: 100 };
    memory.check();
    assert.ok(gate.admit('192.0.2.1', true));
  });
});
