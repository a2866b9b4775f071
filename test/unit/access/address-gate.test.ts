import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AddressGate } from '../../../src/access/address-gate.ts';
import { Refusals } from '../../../src/access/refusals.ts';
import { metricNames } from '../../../src/metrics/names.ts';
import { FakeExchange } from '../../support/fake-exchange.ts';
import { FakeRecorder } from '../../support/fake-recorder.ts';

const recorder = new FakeRecorder();
const refusals = new Refusals(recorder, 'shop', '/admin');

function passes(rules: { allow?: string[]; deny?: string[] }, address: string): boolean {
  const gate = new AddressGate({ allow: [], deny: [], ...rules }, refusals);
  const context = new FakeExchange().withContext();
  context.client = { address, scheme: 'http', host: 'a', port: 80, trusted: false };
  return gate.ask(context) === undefined;
}

describe('the gate of addresses', () => {
  test('keeps everybody out who is not among the allowed ones', () => {
    assert.equal(passes({ allow: ['10.0.0.0/8'] }, '10.1.1.1'), true);
    assert.equal(passes({ allow: ['10.0.0.0/8'] }, '11.1.1.1'), false);
    assert.equal(passes({ allow: ['10.0.0.0/8'] }, '::1'), false);
  });

  test('lets everybody in who is not denied, where nobody is allowed by name', () => {
    assert.equal(passes({ deny: ['10.0.0.0/8'] }, '10.1.1.1'), false);
    assert.equal(passes({ deny: ['10.0.0.0/8'] }, '::ffff:10.1.1.1'), false);
    assert.equal(passes({ deny: ['10.0.0.0/8'] }, '11.1.1.1'), true);
  });

  test('goes by the narrowest range', () => {
    const rules = { allow: ['10.0.0.0/8', '10.1.1.1'], deny: ['10.1.0.0/16'] };
    assert.deepEqual(
      ['10.0.0.1', '10.1.0.1', '10.1.1.1', '12.0.0.1'].map((address) => passes(rules, address)),
      [true, false, true, false],
    );
  });

  test('denies what is no address, even where few are denied', () => {
    assert.equal(passes({ deny: ['10.0.0.0/8'] }, 'unknown'), false);
    assert.equal(passes({ deny: ['10.0.0.0/8'] }, '10.1.1.01'), false);
  });

  test('knows clients on a Unix socket by their word', () => {
    assert.equal(passes({ allow: ['unix'] }, ''), true);
    assert.equal(passes({ allow: ['10.0.0.0/8'] }, ''), false);
    assert.equal(passes({ deny: ['unix'] }, ''), false);
    assert.equal(passes({ deny: ['10.0.0.0/8'] }, ''), true);
  });

  test('denies a request whose client nobody has worked out', () => {
    const gate = new AddressGate({ allow: [], deny: ['10.0.0.0/8'] }, refusals);
    assert.equal(gate.ask(new FakeExchange().withContext())?.code, 'access_denied');
  });

  test('counts what it refuses', () => {
    const labels = { site: 'shop', route: '/admin', reason: 'address' };
    const before = recorder.value(metricNames.accessRefused, labels);
    passes({ allow: ['10.0.0.0/8'] }, '11.1.1.1');
    assert.equal(recorder.value(metricNames.accessRefused, labels), before + 1);
  });
});
