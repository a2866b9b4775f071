import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Answer, type Gate, PendingVerdict, type Verdict } from '../../../src/access/gate.ts';
import { RouteAccess } from '../../../src/access/route-access.ts';
import { PorticoError } from '../../../src/response/portico-error.ts';
import { FakeExchange } from '../../support/fake-exchange.ts';

const denied = new PorticoError('access_denied', 'by a test');
const unknown = new PorticoError('access_denied', 'without credentials', { status: 401 });
const redirect: Answer = { give: () => undefined };

const says = (verdict: Verdict): Gate => ({ ask: () => verdict });
const never: Gate = { ask: () => assert.fail('asked') };

class Later implements Gate {
  readonly pending = new PendingVerdict();
  ask(): PendingVerdict {
    return this.pending;
  }
}

function ask(satisfy: 'all' | 'any', ...gates: Gate[]): Verdict | PendingVerdict {
  return new RouteAccess(gates, satisfy).ask(new FakeExchange().withContext());
}

function settled(verdict: Verdict | PendingVerdict): Verdict | 'pending' {
  assert.ok(verdict instanceof PendingVerdict);
  let told: Verdict | 'pending' = 'pending';
  verdict.whenSettled((one) => (told = one));
  return told;
}

describe('the gates of a route', () => {
  test('must all let a request pass, and the first that does not is the last asked', () => {
    assert.equal(ask('all', says(undefined), says(undefined)), undefined);
    assert.equal(ask('all', says(undefined), says(denied), never), denied);
  });

  test('must let it pass one of them where any is enough', () => {
    assert.equal(ask('any', says(denied), says(undefined), never), undefined);
    assert.equal(ask('any', says(denied), says(unknown)), unknown);
    assert.equal(ask('any', says(unknown), says(denied)), unknown);
  });

  test('tell the client how to get in, if any of them does', () => {
    assert.equal(ask('any', says(unknown), says(redirect)), redirect);
    assert.equal(ask('any', says(redirect), says(unknown)), redirect);
  });

  test('may take their time', () => {
    const later = new Later();
    const all = ask('all', says(undefined), later, says(denied));
    assert.equal(settled(all), 'pending');
    later.pending.settle(undefined);
    assert.equal(settled(all), denied);
  });

  test('may take their time one after the other', () => {
    const [one, other] = [new Later(), new Later()];
    const any = ask('any', one, other);
    one.pending.settle(unknown);
    assert.equal(settled(any), 'pending');
    other.pending.settle(denied);
    assert.equal(settled(any), unknown);
  });

  test('are not asked any more once one has refused', () => {
    const later = new Later();
    const all = ask('all', later, never);
    later.pending.settle(denied);
    assert.equal(settled(all), denied);
  });

  test('hear that nobody waits any more, and what they say then counts for nothing', () => {
    const [one, other] = [new Later(), new Later()];
    const all = ask('all', one, other);
    assert.ok(all instanceof PendingVerdict);
    one.pending.settle(undefined);
    let cancelled = 0;
    other.pending.onCancelled = () => cancelled++;
    all.cancel();
    all.cancel();
    assert.equal(cancelled, 1);
    other.pending.settle(undefined);
    all.whenSettled((verdict) => assert.equal(verdict, undefined));
  });
});
