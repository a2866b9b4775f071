import assert from 'node:assert/strict';
import type { SrvRecord } from 'node:dns';
import { describe, test } from 'node:test';
import type { DiscoveryConfig } from '../../../src/config/config.ts';
import { Discovery, serversOf } from '../../../src/upstream/discovery.ts';
import type { ServiceLookup } from '../../../src/upstream/name-service.ts';
import type { Lookup } from '../../../src/upstream/resolver.ts';

const template = { weight: 1, maxConnections: undefined, level: 0, state: 'ready' } as const;
const service: DiscoveryConfig = {
  name: 'srv://_http._tcp.app.test',
  source: { service: '_http._tcp.app.test' },
  interval: 10_000,
  template,
};
const host: DiscoveryConfig = { ...service, name: 'app.test:8000', source: { host: 'app.test', port: 8000 } };

const record = (name: string, port: number, priority = 0, weight = 0): SrvRecord => ({ name, port, priority, weight });

/** Look-ups that a test answers by hand. */
class ManualNames {
  readonly asked: { found: Parameters<ServiceLookup>[1] }[] = [];
  readonly askedHosts: { found: Parameters<Lookup>[1] }[] = [];

  readonly addresses: Lookup = (_host, found) => void this.askedHosts.push({ found });

  readonly services: ServiceLookup = (_name, found) => void this.asked.push({ found });
}

const namesOf = (discovery: Discovery) => discovery.servers.map(({ name }) => name);

describe('the servers of a service', () => {
  test('are those of its records: priorities are levels, weights are weights', () => {
    const records = [
      record('backup.test', 8002, 20, 7),
      record('ONE.test.', 8000, 10, 5),
      record('two.test', 8001, 10, 0),
    ];
    const servers = serversOf(records, { ...template, weight: 2, level: 1000 });
    assert.deepEqual(
      servers.map(({ name, address, weight, level }) => ({ name, address, weight, level })),
      [
        { name: 'one.test:8000', address: { host: 'one.test', port: 8000 }, weight: 10, level: 1000 },
        { name: 'two.test:8001', address: { host: 'two.test', port: 8001 }, weight: 2, level: 1000 },
        { name: 'backup.test:8002', address: { host: 'backup.test', port: 8002 }, weight: 14, level: 1001 },
      ],
    );
  });

  test('are none where the target is a dot: the service is not offered', () => {
    assert.deepEqual(serversOf([record('', 0), record('.', 0)], template), []);
  });

  test('are asked for again after the interval, one question at a time', () => {
    const names = new ManualNames();
    const discovery = new Discovery(service, names);
    assert.equal(discovery.refresh(0), false);
    discovery.refresh(50_000);
    assert.equal(names.asked.length, 1);
    names.asked[0]?.found(undefined, [record('one.test', 80)]);
    assert.equal(discovery.refresh(9999), true);
    assert.deepEqual(namesOf(discovery), ['one.test:80']);
    assert.equal(discovery.refresh(10_000), false);
    assert.equal(names.asked.length, 2);
    names.asked[1]?.found(undefined, [record('one.test', 80)]);
    assert.equal(discovery.refresh(10_001), false, 'the same records are no change');
  });

  test('stay while a look-up fails, which is repeated soon', () => {
    const names = new ManualNames();
    const discovery = new Discovery(service, names);
    discovery.refresh(0);
    names.asked[0]?.found(undefined, [record('one.test', 80)]);
    discovery.refresh(10_000);
    names.asked[1]?.found(new Error('queryServFail'), []);
    assert.equal(discovery.refresh(10_500), false);
    assert.deepEqual(namesOf(discovery), ['one.test:80']);
    assert.match(discovery.error?.message ?? '', /ServFail/);
    discovery.refresh(11_000);
    assert.equal(names.asked.length, 3);
    names.asked[2]?.found(undefined, []);
    assert.match(discovery.error?.message ?? '', /no SRV record/);
    assert.deepEqual(namesOf(discovery), ['one.test:80']);
  });

  test('are at most 256', () => {
    const names = new ManualNames();
    const discovery = new Discovery(service, names);
    discovery.refresh(0);
    names.asked[0]?.found(
      undefined,
      Array.from({ length: 1000 }, (_, index) => record(`s${index}.test`, 80)),
    );
    discovery.refresh(1);
    assert.equal(discovery.servers.length, 256);
  });
});

test('a reload changes what is said of the servers without looking them up anew', () => {
  const names = new ManualNames();
  const discovery = new Discovery(service, names);
  discovery.refresh(0);
  names.asked[0]?.found(undefined, [record('one.test', 80, 0, 3)]);
  discovery.refresh(1);
  discovery.reconfigure({ ...service, template: { ...template, weight: 2, state: 'drain' } });
  assert.equal(discovery.refresh(2), true);
  assert.deepEqual(
    discovery.servers.map(({ weight, state }) => [weight, state]),
    [[6, 'drain']],
  );
  assert.equal(names.asked.length, 1);
});

describe('the addresses of a name as servers', () => {
  test('are one server each, whatever the order they come in', () => {
    const names = new ManualNames();
    const discovery = new Discovery(host, names);
    discovery.refresh(0);
    names.askedHosts[0]?.found(undefined, ['10.0.0.2', '10.0.0.1', '2001:db8::1', '10.0.0.1']);
    assert.equal(discovery.refresh(1), true);
    assert.deepEqual(namesOf(discovery), ['10.0.0.1:8000', '10.0.0.2:8000', '[2001:db8::1]:8000']);
    discovery.refresh(60_001);
    names.askedHosts[1]?.found(undefined, ['2001:db8::1', '10.0.0.1', '10.0.0.2']);
    assert.equal(discovery.refresh(60_002), false);
  });
});
