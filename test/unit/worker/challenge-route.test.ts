import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PendingChallenges } from '../../../src/acme/pending-challenges.ts';
import type { RequestContext } from '../../../src/request/request-context.ts';
import { ChallengeRoute } from '../../../src/worker/challenge-route.ts';
import { FakeExchange } from '../../support/fake-exchange.ts';

const path = '/.well-known/acme-challenge/token';

function answering(): { route: ChallengeRoute; challenges: PendingChallenges; counted: () => number } {
  const challenges = new PendingChallenges();
  challenges.replace([{ type: 'http-01', token: 'token', keyAuthorization: 'token.print' }]);
  let count = 0;
  return {
    challenges,
    route: new ChallengeRoute(challenges, { add: (amount) => (count += amount) }),
    counted: () => count,
  };
}

function ask(target: string, method = 'GET'): RequestContext {
  return new FakeExchange({ target, method, host: 'whatever.test' }).withContext();
}

describe('the route of challenges', () => {
  test('answers an authority with the key authorization and nothing around it, and counts that', () => {
    const { route, counted } = answering();
    const context = ask(path);
    route.find(context)?.handler.handle(context);
    const exchange = context.exchange as FakeExchange;
    assert.equal(exchange.status, 200);
    assert.equal(exchange.responseBody.toString(), 'token.print');
    assert.match(exchange.responseBlock, /content-type: application\/octet-stream/i);
    assert.match(exchange.responseBlock, /cache-control: no-store/i);
    assert.equal(counted(), 1);
  });

  test('leaves everything else to the sites: other tokens, other paths, other methods', () => {
    const { route, challenges } = answering();
    assert.equal(route.find(ask(`${path}s`)), undefined);
    assert.equal(route.find(ask('/token')), undefined);
    assert.equal(route.find(ask(path, 'POST')), undefined);
    assert.ok(route.find(ask(path, 'HEAD')));
    challenges.replace([]);
    assert.equal(route.find(ask(path)), undefined);
  });
});
