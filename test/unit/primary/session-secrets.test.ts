import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withSessionSecrets } from '../../../src/primary/session-secrets.ts';
import { upstreamConfig } from '../../support/proxied.ts';

const sticky = { cookie: 'server', path: '/', secure: 'auto', httpOnly: true, sameSite: 'lax' } as const;

test('an upstream with sticky sessions gets a secret that goes on over reloads, another one each', () => {
  const given = { app: upstreamConfig([], { sticky }), other: upstreamConfig([], { name: 'other', sticky }) };
  const first = withSessionSecrets(given, undefined);
  assert.ok((first['app']?.sticky?.secret?.length ?? 0) >= 32);
  assert.notEqual(first['app']?.sticky?.secret, first['other']?.sticky?.secret);
  assert.deepEqual(withSessionSecrets(given, first), first);
  assert.notDeepEqual(withSessionSecrets(given, undefined), first);
});

test('a secret of the configuration counts, and without sticky sessions there is none', () => {
  const secret = 'a secret of some length';
  const given = { app: upstreamConfig([], { sticky: { ...sticky, secret } }), plain: upstreamConfig([]) };
  assert.deepEqual(
    withSessionSecrets(given, withSessionSecrets({ app: upstreamConfig([], { sticky }) }, undefined)),
    given,
  );
});
