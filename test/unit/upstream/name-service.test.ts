import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { NameService } from '../../../src/upstream/name-service.ts';
import { DnsServer } from '../../support/dns-server.ts';

describe('names at name servers of the configuration', () => {
  let server: DnsServer;
  const names = new NameService();
  before(async () => {
    server = await DnsServer.start();
    names.configure({ servers: [server.address], timeout: 600 });
  });
  beforeEach(() => {
    server.records.clear();
    server.silent = false;
  });
  after(() => server.close());

  const addressesOf = (host: string) =>
    new Promise<{ error: Error | undefined; addresses: readonly string[]; ttl: number | undefined }>((resolve) => {
      let ttl: number | undefined;
      names.addresses(
        host,
        (error, addresses) => resolve({ error, addresses, ttl }),
        (seconds) => (ttl = Math.min(seconds, ttl ?? seconds)),
      );
    });
  const servicesOf = (name: string) =>
    new Promise<{ error: Error | undefined; count: number }>((resolve) => {
      names.services(name, (error, records) => resolve({ error, count: records.length }));
    });

  test('have addresses of both kinds, and the least time to live', async () => {
    server.records.set('app.test', [
      { type: 'A', address: '10.0.0.1', ttl: 30 },
      { type: 'A', address: '10.0.0.2', ttl: 30 },
      { type: 'AAAA', address: '2001:db8::1', ttl: 20 },
    ]);
    const { error, addresses, ttl } = await addressesOf('app.test');
    assert.equal(error, undefined);
    assert.deepEqual(addresses.toSorted(), ['10.0.0.1', '10.0.0.2', '2001:db8::1']);
    assert.equal(ttl, 20);
  });

  test('are found when they have addresses of one kind only', async () => {
    server.records.set('app.test', [{ type: 'A', address: '10.0.0.1' }]);
    assert.deepEqual((await addressesOf('app.test')).addresses, ['10.0.0.1']);
    server.records.set('app.test', [{ type: 'AAAA', address: '2001:db8::2' }]);
    assert.deepEqual((await addressesOf('app.test')).addresses, ['2001:db8::2']);
  });

  test('that do not exist are an error', async () => {
    const { error, addresses } = await addressesOf('missing.test');
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOTFOUND');
    assert.deepEqual(addresses, []);
    assert.ok((await servicesOf('missing.test')).error);
  });

  test('are an error in time when no name server answers', async () => {
    server.silent = true;
    const { error } = await addressesOf('app.test');
    assert.equal((error as NodeJS.ErrnoException).code, 'ETIMEOUT');
  });

  test('have services', async () => {
    server.records.set('_http._tcp.app.test', [
      { type: 'SRV', priority: 1, weight: 5, port: 8000, target: 'one.app.test' },
      { type: 'SRV', priority: 2, weight: 0, port: 8001, target: 'two.app.test' },
    ]);
    assert.deepEqual(await servicesOf('_http._tcp.app.test'), { error: undefined, count: 2 });
  });
});

test('without name servers of the configuration names are looked up as the system does', async () => {
  const names = new NameService();
  names.configure({ timeout: 5000 });
  const addresses = await new Promise<readonly string[]>((resolve) => {
    names.addresses(
      'localhost',
      (_error, found) => resolve(found),
      () => {},
    );
  });
  assert.ok(addresses.some((address) => address === '127.0.0.1' || address === '::1'));
});
