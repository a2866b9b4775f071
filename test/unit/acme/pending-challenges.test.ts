import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { challengeCertificate } from '../../../src/acme/own-certificate.ts';
import { PendingChallenges } from '../../../src/acme/pending-challenges.ts';

describe('pending challenges', () => {
  test('are answered as long as they are announced, under their path alone', () => {
    const challenges = new PendingChallenges();
    assert.equal(challenges.hasTokens, false);
    challenges.replace([{ type: 'http-01', token: 'token', keyAuthorization: 'token.print' }]);
    assert.equal(challenges.hasTokens, true);
    assert.equal(challenges.keyAuthorization('/.well-known/acme-challenge/token'), 'token.print');
    for (const path of ['/.well-known/acme-challenge/', '/.well-known/acme-challenge/token/', '/token', '/']) {
      assert.equal(challenges.keyAuthorization(path), undefined);
    }
    challenges.replace([]);
    assert.equal(challenges.hasTokens, false);
    assert.equal(challenges.keyAuthorization('/.well-known/acme-challenge/token'), undefined);
  });

  test('have a certificate for a name, in any case, until others come', () => {
    const challenges = new PendingChallenges();
    const pair = challengeCertificate('a.test', 'token.print', Date.now());
    challenges.replace([{ type: 'tls-alpn-01', name: 'a.test', ...pair }]);
    assert.equal(challenges.hasCertificates, true);
    assert.equal(challenges.certificateFor('A.test')?.certificate, pair.certificate);
    assert.equal(challenges.certificateFor('b.test'), undefined);
    assert.equal(challenges.hasTokens, false);
    challenges.replace([]);
    assert.equal(challenges.hasCertificates, false);
    assert.equal(challenges.certificateFor('a.test'), undefined);
  });
});
