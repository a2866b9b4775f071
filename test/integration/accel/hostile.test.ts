import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { answering, DirectedWorker } from '../../support/directed-worker.ts';
import { RawClient } from '../../support/raw-client.ts';
import type { OriginScript } from '../../support/scripted-origin.ts';
import { waitFor } from '../../support/wait-for.ts';

const get = 'GET / HTTP/1.1\r\nHost: example.com\r\n\r\n';

/** Answers with one value of a directive after the other. */
function inTurn(name: string, values: readonly string[]): OriginScript {
  let turn = 0;
  return (socket) => socket.write(answering([`${name}: ${values[turn++]}`], 'from the application'), 'latin1');
}

/** A folder beside the one that is served, with a secret in it, and a link to it from within. */
function writeSecret(site: DirectedWorker): void {
  mkdirSync(join(site.folder, 'outside'));
  writeFileSync(join(site.folder, 'outside', 'secret.txt'), 'the secret');
  mkdirSync(join(site.folder, 'files-2'));
  writeFileSync(join(site.folder, 'files-2', 'secret.txt'), 'the secret');
  symlinkSync(join(site.folder, 'outside'), join(site.files, 'link'));
  symlinkSync(join(site.folder, 'outside', 'secret.txt'), join(site.files, 'link.txt'));
}

describe('an upstream that is not trusted with directives', () => {
  test('cannot name files; nothing of the fields reaches the client', async (context) => {
    const lines = [
      'X-Accel-Redirect: /protected/a.txt',
      'X-Sendfile: /etc/passwd',
      'x-accel-limit-rate: 1',
      'X-ACCEL-EXPIRES: 3600',
      'X-Accel-Charset: koi8-r',
      'X-Accel-Buffering: no',
      'X-Other: stays',
    ];
    const site = await DirectedWorker.start(context, answering(lines, 'b'.repeat(5000)), { directives: '{}' });
    site.write('a.txt', 'protected');
    const response = await site.ask();
    assert.equal(response.body.toString(), 'b'.repeat(5000));
    assert.equal(response.field('x-other'), 'stays');
    const names = response.fields.map(([name]) => name.toLowerCase());
    assert.deepEqual(
      names.filter((name) => name.startsWith('x-accel') || name === 'x-sendfile'),
      [],
    );
  });

  test('may be trusted with one of them alone', async (context) => {
    const site = await DirectedWorker.start(
      context,
      (socket, { head }) =>
        socket.write(
          head.startsWith('GET /send')
            ? answering([`X-Sendfile: ${site.files}/a.txt`], 'own body')
            : answering(['X-Accel-Redirect: /protected/a.txt'], 'own body'),
        ),
      { directives: '{ redirect: true }' },
    );
    site.write('a.txt', 'protected');
    assert.equal((await site.ask('/send')).body.toString(), 'own body');
    assert.equal((await site.ask('/redirect')).body.toString(), 'protected');
  });
});

describe('a request from outside', () => {
  test('finds nothing at an internal route, however it spells the path', async (context) => {
    const site = await DirectedWorker.start(context, answering([], 'the application'));
    site.write('a.txt', 'protected');
    for (const target of ['/protected/a.txt', '//protected//a.txt', '/%70rotected/a.txt', '/x/../protected/a.txt']) {
      const response = await site.ask(target, 'X-Accel-Redirect: /protected/a.txt\r\n');
      assert.equal(response.status, 404, target);
    }
    assert.equal((await site.ask('/protected/a.txt', '', 'DELETE')).status, 404);
    assert.equal(site.origin.requests.length, 0);
  });
});

describe('X-Accel-Redirect', () => {
  test('is refused where it is no path, or climbs', async (context) => {
    const values = [
      'a.txt',
      '@named',
      'http://example.com/protected/a.txt',
      '/protected/../outside/secret.txt',
      '/protected/%2e%2e/outside/secret.txt',
      '/protected/x/../a.txt',
      '/protected/%2E./a.txt',
      '/protected/a%00.txt',
      '/protected/a%2fb.txt',
      '/protected/a%5cb.txt',
      '/protected/a\\b.txt',
      '/protected/%zz',
      '/protected/a.txt%',
      '/..',
      `/protected/..`,
    ];
    const site = await DirectedWorker.start(context, inTurn('X-Accel-Redirect', values));
    site.write('a.txt', 'protected');
    writeSecret(site);
    for (const value of values) {
      const response = await site.ask();
      assert.equal(response.status, 502, value);
      assert.ok(!response.body.toString().includes('secret'), value);
      assert.match(response.body.toString(), /directive_refused/, value);
    }
  });

  test('finds no file by a link out of the root, by a hidden name or by one that is too long', async (context) => {
    const values = [
      '/protected/link/secret.txt',
      '/protected/link.txt',
      '/protected/.hidden',
      `/protected/${'n'.repeat(5000)}`,
      '/protected/',
      '/protected/missing.txt',
    ];
    const site = await DirectedWorker.start(context, inTurn('X-Accel-Redirect', values));
    site.write('.hidden', 'hidden');
    writeSecret(site);
    for (const value of values) assert.equal((await site.ask()).status, 404, value.slice(0, 40));
  });

  test('leads to no route that clients can ask themselves', async (context) => {
    const site = await DirectedWorker.start(context, answering(['X-Accel-Redirect: /public/a.txt']), {
      routes: ['{ path: /public/, static: { root: ./files } }'],
    });
    site.write('a.txt', 'public');
    assert.equal((await site.ask()).status, 502);
    assert.equal((await site.ask('/public/a.txt')).status, 200);
  });

  test('that leads to itself ends after a few turns', async (context) => {
    const site = await DirectedWorker.start(context, answering(['X-Accel-Redirect: /again/']), {
      routes: ['{ path: /again/, internal: true, proxy: { upstream: app } }'],
    });
    const response = await site.ask();
    assert.equal(response.status, 502);
    assert.equal(site.origin.requests.length, 6);
    assert.ok(site.worker.log.some((line) => line.includes('in a row')));
  });

  test('that is larger than a head may be is no response at all', async (context) => {
    const site = await DirectedWorker.start(context, answering([`X-Accel-Redirect: /protected/${'x'.repeat(70_000)}`]));
    assert.equal((await site.ask()).status, 502);
  });

  test('with an empty value is none', async (context) => {
    const site = await DirectedWorker.start(context, answering(['X-Accel-Redirect:'], 'own body'));
    assert.equal((await site.ask()).body.toString(), 'own body');
  });
});

describe('X-Sendfile', () => {
  test('serves a file below the folder, with ranges', async (context) => {
    const site = await DirectedWorker.start(context, (socket) =>
      socket.write(answering([`X-Sendfile: ${site.files}/a 100%.txt`, 'Content-Type: text/x-own'])),
    );
    site.write('a 100%.txt', '0123456789');
    const response = await site.ask('/', 'Range: bytes=-2\r\n');
    assert.equal(response.status, 206);
    assert.equal(response.body.toString(), '89');
    assert.equal(response.field('content-type'), 'text/x-own');
  });

  test('is refused outside the folder', async (context) => {
    const site: DirectedWorker = await DirectedWorker.start(context, (socket, { index }) =>
      socket.write(answering([`X-Sendfile: ${bad(site)[index]}`], 'own body'), 'latin1'),
    );
    writeSecret(site);
    site.write('a.txt', 'protected');
    const client = await RawClient.connect(site.worker.port);
    for (const value of bad(site)) {
      client.send(get);
      const response = await client.response();
      assert.equal(response.status, 502, value);
      assert.ok(!response.body.toString().includes('the secret'), value);
    }
    client.destroy();
  });

  test('follows no link out of the folder', async (context) => {
    const site: DirectedWorker = await DirectedWorker.start(context, (socket, { index }) =>
      socket.write(answering([`X-Sendfile: ${site.files}${['/link.txt', '/link/secret.txt', '/none'][index]}`])),
    );
    writeSecret(site);
    const client = await RawClient.connect(site.worker.port);
    for (let turn = 0; turn < 3; turn++) {
      client.send(get);
      assert.equal((await client.response()).status, 404);
    }
    client.destroy();
  });
});

function bad({ folder, files }: DirectedWorker): string[] {
  return [
    '/etc/passwd',
    'a.txt',
    './a.txt',
    files,
    `${folder}/files-2/secret.txt`,
    `${folder}/outside/secret.txt`,
    `${files}/../outside/secret.txt`,
    `${files}/x/../../outside/secret.txt`,
    `${files}/./a.txt`,
    `${files}//a.txt`,
    `${files}/..`,
  ];
}

describe('the response of the application behind a directive', () => {
  const redirect = 'HTTP/1.1 200 OK\r\nX-Accel-Redirect: /protected/a.txt\r\n';

  for (const [what, rest] of [
    ['chunked', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'],
    ['of known length', 'Content-Length: 5\r\n\r\nhello'],
    ['empty', 'Content-Length: 0\r\n\r\n'],
  ] as const) {
    test(`is dropped when it is ${what}, and the connection used again`, async (context) => {
      const site = await DirectedWorker.start(context, (socket) => socket.write(redirect + rest));
      site.write('a.txt', 'protected');
      for (let turn = 0; turn < 3; turn++) assert.equal((await site.ask()).body.toString(), 'protected');
      assert.equal(site.origin.connections, 1);
    });
  }

  test('may be endless: its connection is closed', async (context) => {
    const site = await DirectedWorker.start(context, (socket) => {
      socket.write(`${redirect}\r\n`);
      const timer = setInterval(() => socket.write(Buffer.alloc(30_000)), 5);
      socket.on('close', () => clearInterval(timer));
    });
    site.write('a.txt', 'protected');
    assert.equal((await site.ask()).body.toString(), 'protected');
    await waitFor(() => site.origin.open === 0, 'the connection to be closed');
  });

  test('may never come: the file does not wait for it long', async (context) => {
    const site = await DirectedWorker.start(context, (socket) =>
      socket.write(`${redirect}Content-Length: 100\r\n\r\nabc`),
    );
    site.write('a.txt', 'protected');
    assert.equal((await site.ask()).body.toString(), 'protected');
    await waitFor(() => site.origin.open === 0, 'the connection to be closed');
  });

  test('may be broken behind its head', async (context) => {
    const site = await DirectedWorker.start(context, (socket, { index }) => {
      if (index === 0) socket.write(`${redirect}Transfer-Encoding: chunked\r\n\r\nzz\r\n`);
    });
    site.write('a.txt', 'protected');
    assert.equal((await site.ask()).body.toString(), 'protected');
  });

  test('may end before its end', async (context) => {
    const site = await DirectedWorker.start(context, (socket) => {
      socket.end(`${redirect}Content-Length: 100\r\n\r\nabc`);
    });
    site.write('a.txt', 'protected');
    assert.equal((await site.ask()).body.toString(), 'protected');
  });
});

test('a client that leaves in the middle of the file costs nothing further', async (context) => {
  const site = await DirectedWorker.start(context, answering(['X-Accel-Redirect: /protected/large.bin']));
  site.write('large.bin', Buffer.alloc(30 * 1024 ** 2));
  for (let turn = 0; turn < 5; turn++) {
    const client = await RawClient.connect(site.worker.port);
    client.send(get);
    await client.receivedAtLeast(100_000);
    client.reset();
  }
  site.write('large.bin', 'small by now');
  await waitFor(async () => (await site.ask()).body.toString() === 'small by now', 'the new file');
});
