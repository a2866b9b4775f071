import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { KeySource } from '../../../src/access/key-source.ts';
import { type InProcessWorker, startInProcessWorker } from '../../support/in-process-worker.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { ScriptedOrigin } from '../../support/scripted-origin.ts';
import { compact, secretToken, TokenIssuer } from '../../support/token-issuer.ts';
import { waitFor } from '../../support/wait-for.ts';

const secret = 'correct-horse-battery-staple-correct-horse';
const issuer = new TokenIssuer()
  .addKey('rsa', 'rsa')
  .addKey('short', 'rsa-1024')
  .addKey('ec', 'P-256')
  .addKey('ec384', 'P-384')
  .addKey('ed', 'ed25519');
const stranger = new TokenIssuer().addKey('rsa', 'rsa').addKey('ec', 'P-256');

const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;
const good = { iss: 'https://login.test/', aud: 'api', sub: 'alice', exp: inSeconds(3600) };

describe('verification of tokens', () => {
  const folder = mkdtempSync(join(tmpdir(), 'portico-jwt-'));
  const keysFile = join(folder, 'keys.json');
  let publisher: ScriptedOrigin;
  let origin: ScriptedOrigin;
  let worker: InProcessWorker;
  let published = issuer.keySet;

  before(async () => {
    writeFileSync(keysFile, issuer.keySet);
    publisher = await ScriptedOrigin.start((socket) => {
      if (published === '') socket.end('HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n');
      else socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(published)}\r\n\r\n${published}`);
    });
    origin = await ScriptedOrigin.answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nin');
    const whose = 'issuer: "https://login.test/", audience: [api, web]';
    worker = await startInProcessWorker(
      `
upstreams: { app: { servers: ["127.0.0.1:${origin.port}"] } }
sites:
  - routes:
      - path: /
        access: { jwt: { keysUrl: "http://127.0.0.1:${publisher.port}/keys", ${whose}, cookie: token, claims: { sub: X-User, roles: X-Roles }, passAuthorization: false } }
        proxy: { upstream: app }
      - { path: /file, access: { jwt: { keysFile: keys.json, ${whose} } }, proxy: { upstream: app } }
      - { path: /secret, access: { jwt: { secret: "${secret}", requireExpiry: false } }, proxy: { upstream: app } }
      - { path: /none, access: { jwt: { keysUrl: "http://127.0.0.1:1/keys" } }, proxy: { upstream: app } }
      - { path: /open, proxy: { upstream: app } }
`,
      folder,
    );
  });
  after(async () => {
    await worker.close();
    await publisher.close();
    await origin.close();
    rmSync(folder, { recursive: true });
  });

  async function ask(path: string, token: string | undefined, fields: Record<string, string> = {}): Promise<Response> {
    const authorization = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    const response = await fetch(`${worker.origin}${path}`, { headers: { ...authorization, ...fields } });
    await response.arrayBuffer();
    return response;
  }
  const head = (): string => `${origin.requests.at(-1)?.head ?? ''}\r\n`;

  for (const [id, algorithm] of [
    ['rsa', 'RS256'],
    ['rsa', 'PS256'],
    ['ec', 'ES256'],
    ['ed', 'EdDSA'],
  ] as const) {
    test(`takes what is signed with ${algorithm}`, async () => {
      assert.equal((await ask('/', issuer.token(id, algorithm, good))).status, 200);
      assert.equal((await ask('/file', issuer.token(id, algorithm, good))).status, 200);
    });
  }

  test('tells the application the claims that are listed, and keeps the token from it', async () => {
    assert.equal(
      (await ask('/', issuer.token('ec', 'ES256', { ...good, sub: 'josé', roles: ['a', 'b'] }))).status,
      200,
    );
    assert.match(head(), new RegExp(`\\r\\nX-User: ${Buffer.from('josé').toString('latin1')}\\r\\nX-Roles: a,b\\r\\n`));
    assert.doesNotMatch(head(), /authorization/i);
  });

  test('never lets a client make claims by itself', async () => {
    for (const path of ['/', '/open']) {
      const fields = { 'X-User': 'root', 'X-Roles': 'root', X_Roles: 'root' };
      assert.equal((await ask(path, issuer.token('ec', 'ES256', good), fields)).status, 200);
      assert.doesNotMatch(head(), /root/);
    }
  });

  test('takes a token from the cookie where there is no other', async () => {
    const token = issuer.token('ec', 'ES256', good);
    assert.equal((await ask('/', undefined, { Cookie: `a=b; token=${token}` })).status, 200);
    assert.equal((await ask('/file', undefined, { Cookie: `token=${token}` })).status, 401);
    assert.equal((await ask('/', 'x.y.z', { Cookie: `token=${token}` })).status, 401);
  });

  test('takes several audiences, and a token without key id', async () => {
    assert.equal((await ask('/', issuer.token('ec', 'ES256', { ...good, aud: ['other', 'web'] }))).status, 200);
    assert.equal((await ask('/', issuer.token('ec', 'ES256', good, { kid: undefined }))).status, 200);
  });

  test('lets clocks differ a little', async () => {
    assert.equal((await ask('/', issuer.token('ec', 'ES256', { ...good, exp: inSeconds(-10) }))).status, 200);
    assert.equal((await ask('/', issuer.token('ec', 'ES256', { ...good, nbf: inSeconds(10) }))).status, 200);
  });

  test('asks for a token where there is none', async () => {
    const response = await ask('/', undefined);
    assert.equal(response.status, 401);
    assert.equal(response.headers.get('www-authenticate'), 'Bearer');
  });

  const unsigned = compact({ alg: 'none' }, good, () => Buffer.alloc(0));
  const pem = String(createPublicKey(issuer.pem('rsa')).export({ type: 'spki', format: 'pem' }));
  const signature = (token: string): string => token.split('.')[2] ?? '';
  const es256 = issuer.token('ec', 'ES256', good);
  const hostile: readonly (readonly [what: string, token: string])[] = [
    ['without a signature', unsigned],
    ['with the algorithm none and a signature', compact({ alg: 'none' }, good, () => Buffer.from('x'))],
    ['with the algorithm nOnE', compact({ alg: 'nOnE' }, good, () => Buffer.from('x'))],
    ['signed with the public key as a secret', secretToken(pem, good, { kid: 'rsa' })],
    ['signed with an empty secret', secretToken('', good)],
    ['with an algorithm that is not listed', issuer.token('ec384', 'ES384', good)],
    ['with an algorithm of another kind of key', issuer.token('rsa', 'RS256', good, { alg: 'ES256' })],
    [
      'with the name of a method of objects as its algorithm',
      compact({ alg: 'constructor' }, good, () => Buffer.from('x')),
    ],
    ['with a list as its algorithm', compact({ alg: ['ES256'], kid: 'ec' }, good, () => Buffer.from('x'))],
    ['signed by somebody else under the same key id', stranger.token('ec', 'ES256', good)],
    ['signed with a key that is too short', issuer.token('short', 'RS256', good)],
    [
      'with its own key in the header',
      stranger.token('ec', 'ES256', good, { jwk: JSON.parse(stranger.keySet).keys[1] }),
    ],
    ['with the place of its key in the header', stranger.token('ec', 'ES256', good, { jku: 'http://127.0.0.1:1/' })],
    ['that wants an extension to be understood', issuer.token('ec', 'ES256', good, { crit: ['exp'] })],
    ['whose payload is not encoded', issuer.token('ec', 'ES256', good, { b64: false })],
    [
      'with other claims under the signature',
      `${es256.split('.')[0]}.${Buffer.from(JSON.stringify({ ...good, sub: 'root' })).toString('base64url')}.${signature(es256)}`,
    ],
    ['with half a signature', es256.slice(0, -20)],
    ['with a signature of zeros', compact({ alg: 'ES256', kid: 'ec' }, good, () => Buffer.alloc(64))],
    ['with something behind it', `${es256}.x`],
    ['of an encrypted kind', 'a.b.c.d.e'],
    ['of nothing but dots', '..'],
    ['whose header is no JSON', `e30x.${es256.split('.').slice(1).join('.')}`],
    ['whose header is a list', compact([], good, () => Buffer.from('x'))],
    ['whose key id is a number', issuer.token('ec', 'ES256', good, { kid: 1 })],
    ['that has expired', issuer.token('ec', 'ES256', { ...good, exp: inSeconds(-60) })],
    ['that never expires', issuer.token('ec', 'ES256', { ...good, exp: undefined })],
    ['whose end is a text', issuer.token('ec', 'ES256', { ...good, exp: String(inSeconds(60)) })],
    ['whose end is null', issuer.token('ec', 'ES256', { ...good, exp: null })],
    ['that is not valid yet', issuer.token('ec', 'ES256', { ...good, nbf: inSeconds(60) })],
    ['of another issuer', issuer.token('ec', 'ES256', { ...good, iss: 'https://login.test' })],
    ['of a list of issuers', issuer.token('ec', 'ES256', { ...good, iss: ['https://login.test/'] })],
    ['for somebody else', issuer.token('ec', 'ES256', { ...good, aud: 'apis' })],
    ['for nobody', issuer.token('ec', 'ES256', { ...good, aud: [] })],
    ['with a line break in a claim', issuer.token('ec', 'ES256', { ...good, sub: 'a\r\nX-Admin: 1' })],
    ['with a comma in a list', issuer.token('ec', 'ES256', { ...good, roles: ['user,admin'] })],
    ['with an object for a claim', issuer.token('ec', 'ES256', { ...good, sub: { a: 1 } })],
  ];
  for (const [what, token] of hostile) {
    test(`refuses a token ${what}`, async () => {
      const count = origin.requests.length;
      const response = await ask('/', token);
      assert.equal(response.status, 401);
      assert.match(response.headers.get('www-authenticate') ?? '', /^Bearer/);
      assert.equal(origin.requests.length, count);
    });
  }

  test('takes secrets where there is one, and nothing that public keys sign', async () => {
    assert.equal((await ask('/secret', secretToken(secret, { sub: 'a' }))).status, 200);
    assert.match(head(), /\r\nauthorization: Bearer /i);
    assert.equal((await ask('/secret', secretToken(`${secret}x`, { sub: 'a' }))).status, 401);
    assert.equal((await ask('/secret', secretToken(secret, { exp: inSeconds(-60) }))).status, 401);
    assert.equal((await ask('/secret', issuer.token('rsa', 'RS256', good))).status, 401);
    assert.equal((await ask('/secret', unsigned)).status, 401);
  });

  test('lets nobody in while there are no keys', async () => {
    assert.equal((await ask('/none', issuer.token('ec', 'ES256', good))).status, 502);
  });

  test('fetches the keys once for many unknown ones', async () => {
    const before = publisher.requests.length;
    const tokens = Array.from({ length: 50 }, (_, index) =>
      issuer.token('ec', 'ES256', good, { kid: `made-up-${index}` }),
    );
    const answers = await Promise.all(tokens.map((token) => ask('/', token)));
    assert.ok(answers.every(({ status }) => status === 401));
    assert.ok(publisher.requests.length - before <= 1, `${publisher.requests.length - before} fetches`);
  });

  test('notices other keys in the file, and takes nothing of those that are gone', async () => {
    const old = issuer.token('ec', 'ES256', good);
    assert.equal((await ask('/file', old)).status, 200);
    const rotated = new TokenIssuer().addKey('new', 'ed25519');
    writeFileSync(keysFile, rotated.keySet);
    await waitFor(async () => (await ask('/file', rotated.token('new', 'EdDSA', good))).status === 200, 'the new key');
    assert.equal((await ask('/file', old)).status, 401);
    writeFileSync(keysFile, '{"keys": [');
    assert.equal((await ask('/file', rotated.token('new', 'EdDSA', good))).status, 200);
  });

  test('leaves no token and no secret in the log, in metrics or in an error page', async () => {
    const token = secretToken('x', { sub: 'mallory' });
    const page = await (
      await fetch(`${worker.origin}/secret`, { headers: { Authorization: `Bearer ${token}` } })
    ).text();
    const said = page + worker.log.join('') + JSON.stringify(worker.messages);
    for (const one of [secret, token, signature(token)]) assert.ok(!said.includes(one));
  });
});

describe('the keys of an issuer', () => {
  test('are fetched anew when a token names another one, and stay when that fails', async (t) => {
    const login = new TokenIssuer().addKey('one', 'ed25519');
    let broken = false;
    const publisher = await ScriptedOrigin.start((socket) => {
      const body = broken ? 'down' : login.keySet;
      socket.write(`HTTP/1.1 ${broken ? 503 : 200} X\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    });
    t.after(() => publisher.close());
    const source = new KeySource(
      { keys: { url: `http://127.0.0.1:${publisher.port}/` }, keysMaxAge: 60_000 },
      new RecordingLogger(),
    );
    assert.equal(source.ready, false);
    await source.refresh();
    assert.deepEqual(
      source.keys.map(({ id }) => id),
      ['one'],
    );
    assert.equal(source.mayAskAgain, false);
    login.addKey('two', 'ed25519');
    await source.refresh();
    assert.deepEqual(
      source.keys.map(({ id }) => id),
      ['one', 'two'],
    );
    assert.equal(source.generation, 2);
    broken = true;
    await source.refresh();
    assert.equal(source.keys.length, 2);
  });
});
