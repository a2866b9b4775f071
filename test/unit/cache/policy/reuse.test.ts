import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mayAnswerWaiting } from '../../../../src/cache/policy/reuse.ts';
import {
  noon,
  obeyingRules,
  plainRules,
  policyRequest,
  reuseAfter,
  storedResponse,
} from '../../../support/cache-exchange.ts';

const authorized = policyRequest(['Authorization: Basic dTpw']);

describe('judgeReuse', () => {
  it('says why', () => {
    const lines = ['Cache-Control: max-age=60, stale-while-revalidate=10', 'ETag: "a"'];
    const wish = (value: string) => ({ by: policyRequest([`Cache-Control: ${value}`]), rules: obeyingRules });
    const reasons: [reason: string, seconds: number, lines: string[], options?: Parameters<typeof reuseAfter>[2]][] = [
      ['fresh', 1, lines],
      ['stale-while-revalidate', 61, lines],
      ['stale', 71, lines],
      ['must-revalidate', 61, ['Cache-Control: s-maxage=60']],
      ['always-revalidate', 1, ['Cache-Control: no-cache', 'ETag: "a"']],
      ['request-authorization', 1, lines, { by: authorized }],
      ['request-method', 1, lines, { by: policyRequest([], 'POST') }],
      ['request-no-cache', 1, lines, wish('no-cache')],
      ['request-max-age', 2, lines, wish('max-age=1')],
      ['request-min-fresh', 2, lines, wish('min-fresh=59')],
      ['request-max-stale', 71, lines, wish('max-stale')],
    ];
    for (const [reason, seconds, said, options] of reasons) {
      assert.equal(reuseAfter(seconds, said, options).reason, reason);
    }
  });

  it('gives the age in whole seconds with every verdict', () => {
    for (const seconds of [0, 1.9, 61, 1e6]) {
      assert.equal(reuseAfter(seconds, ['Cache-Control: max-age=60']).age, Math.floor(seconds));
    }
  });

  it('lets what is fresh answer when the upstream fails, though a request wanted it validated', () => {
    const by = policyRequest(['Cache-Control: no-cache']);
    const until = (cacheControl: string) =>
      reuseAfter(10, [`Cache-Control: ${cacheControl}`, 'ETag: "a"'], { by, rules: obeyingRules }).onErrorUntil;
    assert.ok(until('max-age=60') > 0);
    assert.ok(until('max-age=60, must-revalidate') > 0);
    assert.equal(until('max-age=60, no-cache'), 0);
    assert.equal(until('max-age=9, must-revalidate, stale-if-error=99'), 0);
  });

  it('answers requests with Authorization by what a targeted field allows too', () => {
    const lines = ['CDN-Cache-Control: public, max-age=60'];
    assert.equal(reuseAfter(1, lines, { by: authorized }).verdict, 'fresh');
    const rules = { ...plainRules, targeted: false, ttl: 60_000 };
    assert.equal(reuseAfter(1, lines, { by: authorized, rules }).verdict, 'fetch');
  });
});

describe('mayAnswerWaiting', () => {
  it('lets those who wait have what could be stored and used for them', () => {
    const may = (cacheControl: string, request = policyRequest()) =>
      mayAnswerWaiting(storedResponse([`Cache-Control: ${cacheControl}`, 'ETag: "a"']), request, plainRules, noon);
    assert.ok(may('max-age=1'));
    assert.ok(may('max-age=0, stale-while-revalidate=9'));
    assert.ok(!may('max-age=0'));
    assert.ok(!may('max-age=60, no-cache'));
    assert.ok(!may('max-age=60', authorized));
  });
});
