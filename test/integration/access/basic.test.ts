import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type InProcessWorker, startInProcessWorker } from '../../support/in-process-worker.ts';
import { ScriptedOrigin } from '../../support/scripted-origin.ts';
import { waitFor } from '../../support/wait-for.ts';

// Of cost 5, so that a test is quick: the password is `abc` and `U*U`.
const abc = '$2b$05$CCCCCCCCCCCCCCCCCCCCC.gNn9EDJdrUJF53AHnb.4T9BCvqhUYdW';
const other = '$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';
const basicOf = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`;

describe('Basic authentication', () => {
  const folder = mkdtempSync(join(tmpdir(), 'portico-basic-'));
  const file = join(folder, 'users');
  let origin: ScriptedOrigin;
  let worker: InProcessWorker;
  before(async () => {
    writeFileSync(file, `# staff\nbob:${other}\n`);
    origin = await ScriptedOrigin.answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nin');
    worker = await startInProcessWorker(yaml(), folder);
  });
  after(async () => {
    await worker.close();
    await origin.close();
    rmSync(folder, { recursive: true });
  });

  const yaml = (basic = ''): string => `
trustedProxies: [127.0.0.1]
upstreams: { app: { servers: ["127.0.0.1:${origin.port}"] } }
sites:
  - routes:
      - path: /
        access: { basic: { realm: Staff only, users: { alice: "${abc}", josé: "${abc}" }, file: users, attempts: 3${basic} } }
        proxy: { upstream: app }
      - { path: /again, access: { basic: { users: { alice: "${abc}" }, file: users, attempts: 3 } }, proxy: { upstream: app } }
      - { path: /open, proxy: { upstream: app } }
      - { path: /kept, access: { basic: { users: { alice: "${abc}" }, passAuthorization: true, userField: X-User } }, proxy: { upstream: app } }
      - path: /any
        access: { satisfy: any, allow: [203.0.113.0/24], basic: { users: { alice: "${abc}" } } }
        proxy: { upstream: app }
`;

  interface Asked {
    readonly path?: string;
    readonly address?: string;
    readonly authorization?: string;
    readonly fields?: Readonly<Record<string, string>>;
  }

  let addresses = 0;
  async function ask({ path = '/', address, authorization, fields }: Asked = {}): Promise<Response> {
    const from = address ?? `198.51.100.${++addresses}`;
    const response = await fetch(`${worker.origin}${path}`, {
      headers: {
        'X-Forwarded-For': from,
        ...(authorization !== undefined && { Authorization: authorization }),
        ...fields,
      },
    });
    await response.arrayBuffer();
    return response;
  }
  const lastHead = (): string => `${origin.requests.at(-1)?.head ?? ''}\r\n`;

  test('asks a client without credentials for some, and the application for nothing', async () => {
    const count = origin.requests.length;
    const response = await ask();
    assert.equal(response.status, 401);
    assert.equal(response.headers.get('www-authenticate'), 'Basic realm="Staff only", charset="UTF-8"');
    assert.equal(response.headers.get('cache-control'), 'no-store');
    assert.equal(origin.requests.length, count);
  });

  test('tells the application who it is, and keeps the password from it', async () => {
    const response = await ask({ authorization: basicOf('alice', 'abc') });
    assert.equal(response.status, 200);
    assert.match(lastHead(), /\r\nX-Remote-User: alice\r\n/);
    assert.doesNotMatch(lastHead(), /authorization/i);
  });

  test('passes the password on where the route says so', async () => {
    assert.equal((await ask({ path: '/kept', authorization: basicOf('alice', 'abc') })).status, 200);
    assert.match(lastHead(), /\r\nauthorization: Basic /i);
    assert.match(lastHead(), /\r\nX-User: alice\r\n/);
  });

  test('takes users from the file and names that are not ASCII', async () => {
    assert.equal((await ask({ authorization: basicOf('bob', 'U*U') })).status, 200);
    assert.equal((await ask({ authorization: basicOf('josé', 'abc') })).status, 200);
    assert.ok(lastHead().includes(`X-Remote-User: ${Buffer.from('josé').toString('latin1')}\r\n`));
  });

  test('never lets a client say who it is, on no route and in no spelling', async () => {
    const forged = { 'X-Remote-User': 'root', 'X-User': 'root', X_Remote_User: 'root' };
    for (const path of ['/', '/open', '/kept']) {
      assert.equal((await ask({ path, authorization: basicOf('alice', 'abc'), fields: forged })).status, 200);
      assert.doesNotMatch(lastHead(), /root/);
    }
  });

  const hostile: readonly (readonly [what: string, authorization: string])[] = [
    ['a wrong password', basicOf('alice', 'abd')],
    ['an empty password', basicOf('alice', '')],
    ['the hash as the password', basicOf('alice', abc)],
    ['a longer password', basicOf('alice', 'abcabc')],
    ['a password with a zero byte behind it', basicOf('alice', 'abc\0')],
    ['an unknown user', basicOf('mallory', 'abc')],
    ['a name of what all objects have', basicOf('__proto__', 'abc')],
    ['a name of a method of objects', basicOf('constructor', 'abc')],
    ['an empty user', basicOf('', 'abc')],
    ['the user of a comment', basicOf('# staff', 'abc')],
    ['a line break in the user', basicOf('alice\r\nX-Admin: 1', 'abc')],
    ['no colon', `Basic ${Buffer.from('alice').toString('base64')}`],
    ['no credentials', 'Basic'],
    ['no base64', 'Basic alice:abc'],
    ['something behind the base64', `${basicOf('alice', 'abc')} x`],
    ['another scheme', `Bearer ${Buffer.from('alice:abc').toString('base64')}`],
    ['a scheme that begins like it', `Basically ${Buffer.from('alice:abc').toString('base64')}`],
    ['very long credentials', basicOf('alice', 'abc'.repeat(600))],
  ];
  for (const [what, authorization] of hostile) {
    test(`refuses ${what}`, async () => {
      const count = origin.requests.length;
      const response = await ask({ authorization });
      assert.equal(response.status, 401);
      assert.equal(origin.requests.length, count);
    });
  }

  test('takes the scheme in any case', async () => {
    assert.equal((await ask({ authorization: basicOf('alice', 'abc').replace('Basic', 'bASIC') })).status, 200);
  });

  test('lets no address try on and on, whatever the route, and others go on', async () => {
    const address = '203.0.113.200';
    const answers = await Promise.all(
      ['1', '2', '3', '4', '5', '6'].map((wrong) => ask({ address, authorization: basicOf('alice', wrong) })),
    );
    assert.deepEqual(answers.map(({ status }) => status).toSorted(), [401, 401, 401, 429, 429, 429]);
    const late = await ask({ address, authorization: basicOf('bob', 'U*U'), path: '/any' });
    assert.equal(late.status, 200, 'let in by its address');
    const blocked = await ask({ address, authorization: basicOf('nobody', 'x') });
    assert.equal(blocked.status, 429);
    assert.ok(Number(blocked.headers.get('retry-after')) > 0);
    assert.equal((await ask({ authorization: basicOf('alice', 'abc') })).status, 200);
  });

  test('counts an IPv6 client by its network', async () => {
    const statuses: number[] = [];
    for (const last of ['1', '2', '3', '4']) {
      const response = await ask({ address: `2001:db8:7:7::${last}`, authorization: basicOf('alice', last) });
      statuses.push(response.status);
    }
    assert.deepEqual(statuses, [401, 401, 401, 429]);
  });

  test('does not count what is right', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => ask({ address: '203.0.113.9', authorization: basicOf('alice', 'abc') })),
    );
    assert.ok(answers.every(({ status }) => status === 200));
  });

  test('is satisfied by the address where any is enough, and asks for a password otherwise', async () => {
    assert.equal((await ask({ path: '/any', address: '203.0.113.1' })).status, 200);
    assert.doesNotMatch(lastHead(), /x-remote-user/i);
    const stranger = await ask({ path: '/any', address: '192.0.2.1' });
    assert.equal(stranger.status, 401);
    assert.ok(stranger.headers.has('www-authenticate'));
    assert.equal(
      (await ask({ path: '/any', address: '192.0.2.1', authorization: basicOf('alice', 'abc') })).status,
      200,
    );
  });

  test('notices a changed file, and lets nobody in whom it does not have any more', async () => {
    const bob = basicOf('bob', 'U*U');
    const carol = basicOf('carol', 'abc');
    assert.equal((await ask({ authorization: bob })).status, 200);
    writeFileSync(`${file}.new`, `carol:${abc}\nmallory:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n`);
    renameSync(`${file}.new`, file);
    await waitFor(async () => (await ask({ authorization: carol })).status === 200, 'the new user');
    assert.equal((await ask({ authorization: bob })).status, 401);
    assert.ok(worker.log.some((line) => line.includes('line 2') && line.includes('SHA-1')));
    unlinkSync(file);
    await waitFor(async () => (await ask({ authorization: carol })).status === 401, 'the end of all users of the file');
    assert.equal((await ask({ authorization: basicOf('alice', 'abc') })).status, 200);
    writeFileSync(file, `bob:${other}\n`);
    await waitFor(async () => (await ask({ authorization: bob })).status === 200, 'the file to be back');
  });

  test('forgets a password that a reload changes', async () => {
    assert.equal((await ask({ authorization: basicOf('alice', 'abc') })).status, 200);
    await worker.reload(yaml().replace(`alice: "${abc}"`, `alice: "${other}"`));
    assert.equal((await ask({ authorization: basicOf('alice', 'abc') })).status, 401);
    assert.equal((await ask({ authorization: basicOf('alice', 'U*U') })).status, 200);
  });

  test('stops looking when the client goes away meanwhile', async () => {
    const count = origin.requests.length;
    const slow = '$2b$12$CCCCCCCCCCCCCCCCCCCCC.gNn9EDJdrUJF53AHnb.4T9BCvqhUYdW';
    await worker.reload(yaml().replace(`alice: "${abc}"`, `alice: "${slow}"`));
    const leaving = new AbortController();
    const asked = fetch(worker.origin, {
      headers: { Authorization: basicOf('alice', 'gone') },
      signal: leaving.signal,
    }).catch(() => 'gone');
    setImmediate(() => leaving.abort());
    assert.equal(await asked, 'gone');
    assert.equal((await ask({ authorization: basicOf('bob', 'U*U') })).status, 200);
    assert.equal(origin.requests.length, count + 1);
  });

  test('leaves no hash and no password in the log, in metrics or in an error page', async () => {
    const page = await (await fetch(worker.origin, { headers: { Authorization: basicOf('alice', 'hunter2') } })).text();
    const said = JSON.stringify(worker.messages) + worker.log.join('') + page;
    for (const secret of [abc, other, 'hunter2', Buffer.from('alice:hunter2').toString('base64')]) {
      assert.ok(!said.includes(secret), secret);
    }
  });
});
