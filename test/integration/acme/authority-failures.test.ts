import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { certificateFiles } from '../../../src/acme/acme-config.ts';
import { metricNames } from '../../../src/metrics/names.ts';
import { RunningIssuer } from '../../support/running-issuer.ts';
import { type AuthorityReply, problem, ScriptedAuthority } from '../../support/scripted-authority.ts';
import { waitFor } from '../../support/wait-for.ts';

const name = 'a.test';

interface Scene {
  readonly issuer: RunningIssuer;
  readonly authority: ScriptedAuthority;
}

async function start(t: TestContext): Promise<Scene> {
  const issuer = new RunningIssuer();
  t.after(() => issuer.close());
  const authority = await ScriptedAuthority.start();
  t.after(() => authority.stop());
  return { issuer, authority };
}

/** Has one path answered that way, and everything else as usual. */
function answer({ authority }: Scene, path: string, reply: AuthorityReply | 'hang up'): void {
  authority.script = (request) => (request.path === path ? reply : undefined);
}

/** Seconds until the next order, as the metric says. */
function nextOrderIn({ issuer }: Scene): number {
  return issuer.recorder.value(metricNames.acmeNextOrder, { certificate: name }) - Date.now() / 1000;
}

async function failing(scene: Scene, failure: string): Promise<string> {
  scene.issuer.run(scene.issuer.config(scene.authority));
  await scene.issuer.ordered(name, failure);
  await waitFor(() => nextOrderIn(scene) > 0, 'the next time');
  return scene.issuer.logger.messages('error').join('\n');
}

describe('an authority', { concurrency: 2 }, () => {
  test('that does as it should is asked for no more than it has to be', async (t) => {
    const { issuer, authority } = await start(t);
    issuer.run(issuer.config(authority));
    await issuer.ordered(name, 'issued');
    assert.equal(authority.count('/newNonce'), 1);
    assert.equal(authority.count('/newAccount'), 1);
    assert.equal(authority.count('/newOrder'), 1);
    assert.deepEqual(
      issuer.announced.map((responses) => responses.length),
      [1, 0],
    );
    const [account] = authority.requests.filter(({ path }) => path === '/newAccount');
    assert.deepEqual(account?.payload, { termsOfServiceAgreed: true, contact: ['mailto:operator@a.test'] });
    assert.ok(account?.protected['jwk']);
    const [order] = authority.requests.filter(({ path }) => path === '/newOrder');
    assert.equal(order?.protected['kid'], `${authority.origin}/account`);
  });

  test('that limits rates is left alone for as long as it says', async (t) => {
    const scene = await start(t);
    const body = problem('rateLimited', 'too many certificates\u0007 already');
    answer(scene, '/newOrder', { status: 429, headers: { 'retry-after': '7200' }, body });
    const message = await failing(scene, 'rate_limited');
    assert.match(
      message,
      /429 at https:.*\/newOrder: rateLimited: too many certificates already; tried again in 7200 s/,
    );
    assert.ok(Math.abs(nextOrderIn(scene) - 7200) < 10);
    assert.equal(scene.authority.count('/newOrder'), 1);
  });

  test('that refuses says why, name by name', async (t) => {
    const scene = await start(t);
    const subproblems = [{ ...problem('caa', 'CAA forbids it'), identifier: { type: 'dns', value: name } }];
    answer(scene, '/newOrder', { status: 403, body: { ...problem('rejectedIdentifier', 'no'), subproblems } });
    const message = await failing(scene, 'refused');
    assert.match(message, /403 .*: rejectedIdentifier: no \(a\.test: caa: CAA forbids it\)/);
  });

  for (const [what, path, reply] of [
    ['hangs up', '/newOrder', 'hang up'],
    ['fails', '/newOrder', { status: 503, body: 'out of order' }],
    ['sends what never ends', '/directory', { body: `"${'x'.repeat(2 * 1024 * 1024)}"` }],
  ] as const) {
    test(`that ${what} is tried again soon, and nothing else changes`, async (t) => {
      const scene = await start(t);
      answer(scene, path, reply);
      await failing(scene, 'unreachable');
      assert.ok(Math.abs(nextOrderIn(scene) - 10) < 5);
      const config = scene.issuer.config(scene.authority);
      assert.ok(scene.issuer.leaf(config).checkHost(name));
    });
  }

  for (const [what, path, reply] of [
    ['has a directory without orders', '/directory', { body: { newNonce: 'https://localhost/' } }],
    ['answers no JSON', '/newAccount', { status: 201, headers: { location: 'x' }, body: 'welcome' }],
    ['gives no URL', '/newOrder', { status: 201, body: {} }],
    ['describes no order', '/order', { body: { status: 'perhaps' } }],
    ['gives something else than a certificate', '/certificate', { body: '-----BEGIN NOTHING-----' }],
  ] as const) {
    test(`that ${what} makes no sense`, async (t) => {
      const scene = await start(t);
      answer(scene, path, reply);
      await failing(scene, 'protocol');
      assert.ok(Math.abs(nextOrderIn(scene) - 180) < 10);
    });
  }

  test('that gives the certificate of another key is not believed', async (t) => {
    const scene = await start(t);
    const other = scene.authority.certificates.make('other', [name]);
    answer(scene, '/certificate', { body: readFileSync(other.certificate, 'utf8') });
    assert.match(await failing(scene, 'protocol'), /no certificate for what was ordered/);
  });

  test('that sends a token which is a path is not obeyed', async (t) => {
    const scene = await start(t);
    const url = `${scene.authority.origin}/challenge`;
    const challenges = [{ type: 'http-01', url, status: 'pending', token: '../../etc/passwd' }];
    const body = { status: 'pending', identifier: { type: 'dns', value: name }, challenges };
    answer(scene, '/authorization', { body });
    await failing(scene, 'refused');
    assert.deepEqual(scene.issuer.announced, []);
  });

  test('that is another one than its certificate says is not talked to', async (t) => {
    const scene = await start(t);
    const { authority: _, ...config } = scene.issuer.config(scene.authority);
    scene.issuer.run(config);
    await scene.issuer.ordered(name, 'unreachable');
    assert.match(
      scene.issuer.logger.messages('error').join(),
      /cannot be reached at .*: unable to verify the first certificate/,
    );
    assert.equal(scene.authority.requests.length, 0);
  });

  test('that is down is tried again when the time has come', async (t) => {
    const scene = await start(t);
    answer(scene, '/directory', 'hang up');
    await failing(scene, 'unreachable');
    scene.authority.script = () => undefined;
    // The time that the back-off wants has gone by; a change of the configuration has it looked at anew.
    scene.issuer.aheadMs = 11_000;
    const config = scene.issuer.config(scene.authority, { renewAt: 65 });
    scene.issuer.run(config);
    await scene.issuer.ordered(name, 'issued');
    assert.equal(scene.issuer.recorder.value(metricNames.acmeFailing, { certificate: name }), 0);
  });

  test('is told of another address to write to, and asked for no other account', async (t) => {
    const { issuer, authority } = await start(t);
    issuer.run(issuer.config(authority));
    await issuer.ordered(name, 'issued');
    issuer.run(issuer.config(authority, { email: 'other@a.test', keyType: 'rsa' }));
    await issuer.ordered(name, 'issued', 2);
    const told = authority.requests.filter(({ path, payload }) => path === '/account' && payload !== undefined);
    assert.deepEqual(
      told.map(({ payload }) => payload),
      [{ contact: ['mailto:other@a.test'] }],
    );
    assert.equal(authority.count('/newAccount'), 1);
  });

  test('that has closed the account is not asked for another one', async (t) => {
    const scene = await start(t);
    scene.issuer.run(scene.issuer.config(scene.authority));
    await scene.issuer.ordered(name, 'issued');
    answer(scene, '/account', { body: { status: 'revoked' } });
    scene.issuer.run(scene.issuer.config(scene.authority, { keyType: 'rsa' }));
    await scene.issuer.ordered(name, 'refused');
    assert.match(
      scene.issuer.logger.messages('error').join(),
      /the account https:.*\/account is revoked: remove its file/,
    );
    assert.equal(scene.authority.count('/newAccount'), 1);
  });

  test('need not issue once more what could not be stored', async (t) => {
    const { issuer, authority } = await start(t);
    const config = issuer.config(authority);
    const { certificate: file } = certificateFiles(config);
    authority.script = ({ path }) => {
      if (path !== '/certificate' || authority.count('/certificate') > 1) return undefined;
      rmSync(file);
      mkdirSync(file);
      return undefined;
    };
    issuer.run(config);
    await issuer.ordered(name, 'storage');
    assert.match(issuer.logger.messages('error').join(), /a\.test\.pem cannot be written \(EISDIR\)/);
    rmdirSync(file);
    issuer.crash();
    issuer.run(config);
    await issuer.ordered(name, 'issued');
    assert.equal(authority.count('/newOrder'), 1);
    assert.equal(authority.count('/finalize'), 1);
  });

  test('that suggests when to renew is followed, and told which certificate is replaced', async (t) => {
    const scene = await start(t);
    const { issuer, authority } = scene;
    let from = '2125-01-01T00:00:00Z';
    authority.script = ({ path }) =>
      path.startsWith('/renewalInfo/')
        ? { headers: { 'retry-after': '60' }, body: { suggestedWindow: { start: from, end: '2125-01-02T00:00:00Z' } } }
        : undefined;
    const config = issuer.config(authority);
    issuer.run(config);
    await issuer.ordered(name, 'issued');
    const first = issuer.leaf(config);
    const asked = (): string[] => authority.requests.map(({ path }) => path).filter((path) => /renewalInfo/.test(path));
    await waitFor(() => asked().length > 0, 'the question');
    const [keyId = '', serial = ''] = (asked()[0] ?? '').slice('/renewalInfo/'.length).split('.');
    // Its highest bit is set: DER has a zero before it (RFC 9773 section 4.1).
    assert.equal(Buffer.from(serial, 'base64url').toString('hex'), `00${first.serialNumber.toLowerCase()}`);
    assert.equal(Buffer.from(keyId, 'base64url').length, 20);
    issuer.crash();
    from = '2020-01-01T00:00:00Z';
    issuer.run(config);
    await issuer.ordered(name, 'issued', 2);
    const orders = authority.requests.filter(({ path }) => path === '/newOrder');
    assert.equal(orders.at(-1)?.payload?.['replaces'], `${keyId}.${serial}`);
    assert.notEqual(issuer.leaf(config).serialNumber, first.serialNumber);
  });

  test('that suggests nonsense is not followed', async (t) => {
    const scene = await start(t);
    scene.authority.script = ({ path }) =>
      path.startsWith('/renewalInfo/') ? { body: { suggestedWindow: { start: 'soon' } } } : undefined;
    scene.issuer.run(scene.issuer.config(scene.authority));
    await scene.issuer.ordered(name, 'issued');
    await waitFor(() => scene.issuer.logger.messages('debug').length > 0, 'the complaint');
    assert.ok(nextOrderIn(scene) > 50 * 86_400);
  });
});

test('a storage that cannot be written refuses to start, and says which', (t) => {
  const issuer = new RunningIssuer();
  t.after(() => issuer.close());
  const config = issuer.config(
    { directory: 'https://localhost:1/', authority: '/dev/null' },
    { storage: '/dev/null/x' },
  );
  assert.throws(() => issuer.run(config), /the folder \/dev\/null\/x cannot be used \(ENOTDIR\)/);
});

test('what a crash left half written is no harm', async (t) => {
  const scene = await start(t);
  for (const folder of ['certificates', 'orders', 'origins', 'accounts']) {
    mkdirSync(join(scene.issuer.storage, folder), { recursive: true });
  }
  writeFileSync(join(scene.issuer.storage, 'certificates', 'a.test.pem'), '-----BEGIN PRIVATE');
  writeFileSync(join(scene.issuer.storage, 'certificates', 'a.test.pem.new'), 'half', { mode: 0o644 });
  writeFileSync(join(scene.issuer.storage, 'orders', 'a.test.json'), '{"url":');
  writeFileSync(join(scene.issuer.storage, 'origins', 'a.test.json'), '[]');
  scene.issuer.run(scene.issuer.config(scene.authority));
  await scene.issuer.ordered(name, 'issued');
  assert.deepEqual(readdirSync(join(scene.issuer.storage, 'certificates')), ['a.test.pem']);
});
