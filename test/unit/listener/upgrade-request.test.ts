import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeaderFields } from '../../../src/http/header-fields.ts';
import { readUpgradeRequest } from '../../../src/listener/upgrade-request.ts';

function read(entries: readonly string[], close = false) {
  return readUpgradeRequest({ fields: new HeaderFields([...entries]), close });
}

test('all protocols are read in their order, of several fields too, as they are spelt', () => {
  assert.deepEqual(read(['connection', 'Upgrade', 'upgrade', 'TCP, spdy/3.1', 'upgrade', 'h2c']), {
    protocols: ['TCP', 'spdy/3.1', 'h2c'],
  });
  assert.deepEqual(read(['connection', 'x', 'upgrade', 'tcp', 'connection', 'UPGRADE']), { protocols: ['tcp'] });
});

test('without Connection, or with a connection that is to be closed, nothing is asked for', () => {
  assert.equal(read(['upgrade', 'tcp']), undefined);
  assert.equal(read(['connection', 'keep-alive', 'upgrade', 'tcp']), undefined);
  assert.equal(read(['connection', 'upgrade']), undefined);
  assert.equal(read(['connection', 'upgrade', 'upgrade', 'tcp'], true), undefined);
});
