import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseResponse } from '../../support/parse-response.ts';

const ok = 'HTTP/1.1 200 OK\r\n';

describe('a response head', () => {
  test('is passed on without hop-by-hop fields, Date and Content-Length', () => {
    const parsed = parseResponse([
      `${ok}Server: gunicorn\r\nDate: now\r\nConnection: keep-alive, X-Named\r\nKeep-Alive: timeout=5\r\nx-named: 1\r\n` +
        'Proxy-Authenticate: Basic\r\nproxy-something: 1\r\nTE: trailers\r\nTrailer: X\r\nUpgrade: h2c\r\n' +
        'Content-Length: 2\r\nSet-Cookie: a=1\r\nset-cookie: b=\xe9\r\n\r\nhi',
    ]);
    assert.equal(parsed.outcome, 'complete');
    assert.equal(parsed.block, '200 OK\r\nServer: gunicorn\r\nSet-Cookie: a=1\r\nset-cookie: b=\xe9');
    assert.equal(parsed.body.toString(), 'hi');
    assert.equal(parsed.persistent, true);
  });

  test('loses the fields that the route removes, in any case', () => {
    const parsed = parseResponse([`${ok}X-Powered-By: x\r\nServer: y\r\nContent-Length: 0\r\n\r\n`], {
      removed: ['x-powered-by', 'content-length'],
    });
    assert.equal(parsed.block, '200 OK\r\nServer: y');
    assert.equal(parsed.contentLength, 0);
  });

  test('loses a field that Connection names in front of it or behind it', () => {
    const parsed = parseResponse([
      `${ok}X-A: 1\r\nConnection: x-a, X-B\r\nX-B: 2\r\nX-C: 3\r\nContent-Length: 0\r\n\r\n`,
    ]);
    assert.equal(parsed.block, '200 OK\r\nX-C: 3');
  });

  test('gets the space that must stand before an absent reason', () => {
    assert.equal(parseResponse(['HTTP/1.1 200\r\nA: b\r\nContent-Length: 0\r\n\r\n']).block, '200 \r\nA: b');
    assert.equal(parseResponse(['HTTP/1.1 200 \r\nA: b\r\nContent-Length: 0\r\n\r\n']).block, '200 \r\nA: b');
  });

  test('may have a field without a value', () => {
    assert.equal(parseResponse([`${ok}A:\r\nB: \r\nContent-Length: 0\r\n\r\n`]).block, '200 OK\r\nA:\r\nB: ');
  });

  test('says whether an event stream follows', () => {
    const says = (value: string): boolean =>
      parseResponse([`${ok}Content-Type:${value}\r\nContent-Length: 0\r\n\r\n`]).eventStream;
    for (const value of [
      'text/event-stream',
      ' TEXT/Event-Stream',
      ' text/event-stream; charset=utf-8',
      ' text/event-stream ;x',
    ])
      assert.equal(says(value), true, value);
    for (const value of ['', ' text/html', ' text/event-streams', ' text/event-strea', ' next/event-stream', ' text/e'])
      assert.equal(says(value), false, value);
    assert.equal(parseResponse([`${ok}X: text/event-stream\r\nContent-Length: 0\r\n\r\n`]).eventStream, false);
  });

  test('hands directives over and passes none of them on', () => {
    const parsed = parseResponse([`${ok}X-Do:  this \r\nA: b\r\nx-DO: that\r\nContent-Length: 0\r\n\r\n`], {
      directives: ['x-do'],
    });
    assert.equal(parsed.block, '200 OK\r\nA: b');
    assert.deepEqual(parsed.directives, ['x-do', 'this', 'x-do', 'that']);
  });

  test('of just the largest size passes, one byte more does not', () => {
    const head = `${ok}A: ${'x'.repeat(1000)}\r\nContent-Length: 0\r\n\r\n`;
    for (const pieces of [[head], [...head], [head.slice(0, 900), head.slice(900)]]) {
      assert.equal(parseResponse(pieces, { maxHead: head.length }).outcome, 'complete');
      assert.match(parseResponse(pieces, { maxHead: head.length - 1 }).fault, /maxResponseHead/);
    }
  });
});

describe('the connection', () => {
  const cases: [string, string, boolean][] = [
    ['persists in HTTP/1.1', `${ok}Content-Length: 0\r\n\r\n`, true],
    ['ends with Connection: close', `${ok}Connection: Close\r\nContent-Length: 0\r\n\r\n`, false],
    ['ends with close among other options', `${ok}Connection: foo , close\r\nContent-Length: 0\r\n\r\n`, false],
    ['ends in HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n', false],
    [
      'persists in HTTP/1.0 with keep-alive',
      'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n',
      true,
    ],
    ['ends behind a 204 that announces a body', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n', false],
    ['persists behind a 304 that tells a length', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n', true],
  ];
  for (const [name, bytes, persistent] of cases) {
    test(name, () => {
      const parsed = parseResponse([bytes]);
      assert.equal(parsed.outcome, 'complete');
      assert.equal(parsed.persistent, persistent);
    });
  }

  test('has excess bytes when something lies behind a complete response', () => {
    assert.equal(parseResponse([`${ok}Content-Length: 2\r\n\r\nhix`]).excess, true);
    assert.equal(parseResponse([`${ok}Content-Length: 2\r\n\r\nhi`]).excess, false);
    assert.equal(parseResponse([`${ok}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${ok}`]).excess, true);
    assert.equal(parseResponse(['HTTP/1.1 304 Not Modified\r\n\r\nbody']).excess, true);
  });
});

describe('a body', () => {
  test('goes up to the end of the connection where nothing frames it', () => {
    assert.equal(parseResponse([`${ok}\r\n`, 'some ', 'text'], { closed: true }).body.toString(), 'some text');
    assert.equal(parseResponse([`${ok}\r\n`, 'some '], { closed: false }).outcome, 'incomplete');
  });

  test('is incomplete when the connection ends inside', () => {
    for (const bytes of [
      `${ok}Content-Length: 5\r\n\r\nfour`,
      `${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nfour`,
      `${ok}Transfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n`,
      `${ok}Transfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n0\r\n`,
      `${ok}Transfer-Encoding: chunked\r\n\r\n`,
      'HTTP/1.1 200 OK\r\nContent-',
      '',
    ]) {
      assert.equal(parseResponse([bytes], { closed: true }).outcome, 'incomplete', JSON.stringify(bytes));
    }
  });

  test('is decoded from chunks with extensions and trailers', () => {
    const parsed = parseResponse([
      `${ok}transfer-encoding:\tChunked \r\n\r\n4;a=b;c="d e"\r\nWiki\r\n00A;x;y="\\""\r\n0123456789\r\n1\r\nx\r\n0;last\r\nExpires: never\r\nX:\r\n\r\n`,
    ]);
    assert.equal(parsed.outcome, 'complete');
    assert.equal(parsed.body.toString(), 'Wiki0123456789x');
    assert.equal(parsed.contentLength, undefined);
  });

  test('does not follow HEAD, 204 and 304, whatever the fields say', () => {
    for (const fields of ['Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n', '']) {
      assert.equal(parseResponse([`${ok}${fields}\r\n`], { toHead: true }).outcome, 'complete');
      assert.equal(parseResponse([`HTTP/1.1 204 No Content\r\n${fields}\r\n`]).outcome, 'complete');
      assert.equal(parseResponse([`HTTP/1.1 304 Not Modified\r\n${fields}\r\n`]).outcome, 'complete');
    }
  });
});

describe('interim responses', () => {
  test('are skipped', () => {
    const parsed = parseResponse([
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n',
      `${ok}Content-Length: 2\r\n\r\nhi`,
    ]);
    assert.equal(parsed.block, '200 OK');
    assert.equal(parsed.body.toString(), 'hi');
  });

  test('are refused in masses, with a body, and when they switch protocols', () => {
    const early = 'HTTP/1.1 103 Early Hints\r\n\r\n';
    assert.match(parseResponse([early.repeat(17)]).fault, /too many/);
    assert.match(parseResponse(['HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n']).fault, /with a body/);
    assert.match(parseResponse(['HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n']).fault, /protocol/);
  });
});

describe('refused is', () => {
  const body = 'Content-Length: 0\r\n\r\n';
  const refused: Record<string, string> = {
    'another protocol': 'SSH-2.0-OpenSSH_9.2\r\n',
    'HTTP/0.9': '<html>hello</html>',
    'HTTP/2.0': `HTTP/2.0 200 OK\r\n${body}`,
    'HTTP/1.2': `HTTP/1.2 200 OK\r\n${body}`,
    'a version in lower case': `http/1.1 200 OK\r\n${body}`,
    'a status of two digits': `HTTP/1.1 20 OK\r\n${body}`,
    'a status of four digits': `HTTP/1.1 2000 OK\r\n${body}`,
    'a status below 100': `HTTP/1.1 099 OK\r\n${body}`,
    'a tab behind the version': `HTTP/1.1\t200 OK\r\n${body}`,
    'two spaces before the status': `HTTP/1.1  200 OK\r\n${body}`,
    'a control character in the reason': `HTTP/1.1 200 O\x01K\r\n${body}`,
    'a bare LF behind the status line': `HTTP/1.1 200 OK\n${body}`,
    'an empty line before the status line': `\r\n${ok}${body}`,
    'a bare LF behind a field': `${ok}A: b\n${body}`,
    'a bare LF as the empty line': `${ok}A: b\r\n\n`,
    'a bare CR in a value': `${ok}A: b\rc\r\n${body}`,
    'a bare CR at the empty line': `${ok}A: b\r\n\rX`,
    'a NUL in a value': `${ok}A: b\0c\r\n${body}`,
    'a DEL in a value': `${ok}A: b\x7fc\r\n${body}`,
    'a NUL in a name': `${ok}A\0: b\r\n${body}`,
    'a folded field': `${ok}A: b\r\n c\r\n${body}`,
    'a fold at the first field': `${ok} A: b\r\n${body}`,
    'a space before the colon': `${ok}A : b\r\n${body}`,
    'a tab before the colon': `${ok}Content-Length\t: 5\r\n\r\nhello`,
    'a field without a name': `${ok}: b\r\n${body}`,
    'a field without a colon': `${ok}hello\r\n${body}`,
    'a name that is no token': `${ok}A(b): c\r\n${body}`,
    'two lengths': `${ok}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`,
    'the same length twice': `${ok}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`,
    'a list of lengths': `${ok}Content-Length: 5, 5\r\n\r\nhello`,
    'an empty length': `${ok}Content-Length:\r\n\r\n`,
    'a signed length': `${ok}Content-Length: +5\r\n\r\nhello`,
    'a negative length': `${ok}Content-Length: -5\r\n\r\nhello`,
    'a hexadecimal length': `${ok}Content-Length: 0x5\r\n\r\nhello`,
    'a fractional length': `${ok}Content-Length: 5.0\r\n\r\nhello`,
    'a length with a space inside': `${ok}Content-Length: 5 0\r\n\r\nhello`,
    'a length beyond counting': `${ok}Content-Length: 99999999999999999999\r\n\r\nhello`,
    'both a length and chunks': `${ok}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    'both chunks and a length': `${ok}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
    'chunked twice': `${ok}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    'chunked twice in one field': `${ok}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n`,
    'gzip before chunked': `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    identity: `${ok}Transfer-Encoding: identity\r\n\r\n`,
    'an empty transfer coding': `${ok}Transfer-Encoding:\r\n\r\n`,
    'a coding that only resembles chunked': `${ok}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
    'chunks in HTTP/1.0': 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'a chunk without a size': `${ok}Transfer-Encoding: chunked\r\n\r\n\r\nhello`,
    'a chunk size that is no number': `${ok}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`,
    'a chunk size with 0x': `${ok}Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n`,
    'a negative chunk size': `${ok}Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n`,
    'a space before a chunk size': `${ok}Transfer-Encoding: chunked\r\n\r\n 5\r\nhello\r\n`,
    'a space behind a chunk size': `${ok}Transfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n`,
    'a chunk size beyond counting': `${ok}Transfer-Encoding: chunked\r\n\r\n10000000000000\r\n`,
    'a bare LF behind a chunk size': `${ok}Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n`,
    'a bare LF in an extension': `${ok}Transfer-Encoding: chunked\r\n\r\n5;a\nhello\r\n`,
    'a bare CR in an extension': `${ok}Transfer-Encoding: chunked\r\n\r\n5;a\rb\r\nhello\r\n`,
    'an extension without a name': `${ok}Transfer-Encoding: chunked\r\n\r\n5;\r\nhello\r\n0\r\n\r\n`,
    'an extension with blanks': `${ok}Transfer-Encoding: chunked\r\n\r\n5; a=b\r\nhello\r\n0\r\n\r\n`,
    'an extension that is no token': `${ok}Transfer-Encoding: chunked\r\n\r\n5;\x80\r\nhello\r\n0\r\n\r\n`,
    'a chunk longer than its size': `${ok}Transfer-Encoding: chunked\r\n\r\n4\r\nhello\r\n`,
    'a chunk shorter than its size': `${ok}Transfer-Encoding: chunked\r\n\r\n6\r\nhello\r\n0\r\n\r\n`,
    'a bare LF behind a chunk': `${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\n0\r\n\r\n`,
    'an endless chunk extension': `${ok}Transfer-Encoding: chunked\r\n\r\n5;${'x'.repeat(2000)}`,
    'a trailer that is no field': `${ok}Transfer-Encoding: chunked\r\n\r\n0\r\nhello world\r\n\r\n`,
    'a folded trailer': `${ok}Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n c\r\n\r\n`,
    'endless trailers': `${ok}Transfer-Encoding: chunked\r\n\r\n0\r\n${'A: b\r\n'.repeat(2000)}\r\n`,
  };
  for (const [name, bytes] of Object.entries(refused)) {
    test(name, () => {
      const whole = parseResponse([bytes], { closed: true });
      assert.equal(whole.outcome, 'failed');
      assert.notEqual(whole.fault, '');
      assert.equal(parseResponse([...bytes], { closed: true }).outcome, 'failed', 'byte by byte');
    });
  }
});

describe('a 101', () => {
  const asked = ['tcp', 'spdy/3.1'];
  const switching = 'HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: TCP\r\nX-A: b\r\nDate: now\r\n\r\n';

  test('that was asked for passes its fields on, and all bytes behind it as they come', () => {
    const whole = `HTTP/1.1 100 Continue\r\n\r\n${switching}\0any HTTP/1.1 200 OK\r\n\r\n`;
    for (const pieces of [[whole], [...whole], [whole.slice(0, 40), whole.slice(40)]]) {
      const parsed = parseResponse(pieces, { asked, closed: true });
      assert.equal(parsed.outcome, 'complete');
      assert.deepEqual([parsed.status, parsed.switchedTo, parsed.persistent], [101, 'TCP', false]);
      assert.equal(parsed.block, '101 Go\r\nX-A: b');
      assert.equal(parsed.body.toString('latin1'), '\0any HTTP/1.1 200 OK\r\n\r\n');
    }
  });

  test('may name several layers that were asked for, in several fields', () => {
    const text = 'HTTP/1.1 101 Go\r\nUpgrade: tcp\r\nConnection: upgrade\r\nUpgrade: spdy/3.1\r\n\r\n';
    assert.equal(parseResponse([text], { asked }).switchedTo, 'tcp, spdy/3.1');
  });

  for (const [name, fields] of [
    ['no Upgrade', 'Connection: upgrade'],
    ['an empty Upgrade', 'Upgrade: '],
    ['another protocol', 'Upgrade: h2c'],
    ['another version', 'Upgrade: spdy/3'],
    ['a protocol that was asked for and one that was not', 'Upgrade: tcp, tls/1.3'],
    ['Content-Length', 'Upgrade: tcp\r\nContent-Length: 3'],
    ['Transfer-Encoding', 'Upgrade: tcp\r\nTransfer-Encoding: chunked'],
  ] as const) {
    test(`with ${name} is no response`, () => {
      assert.equal(parseResponse([`HTTP/1.1 101 Go\r\n${fields}\r\n\r\nx`], { asked }).outcome, 'failed');
    });
  }

  test('is no response to the next request on a connection that asked before', () => {
    assert.equal(parseResponse([switching]).outcome, 'failed');
  });

  test('takes no protocol from the Upgrade field of another response', () => {
    const parsed = parseResponse(['HTTP/1.1 426 No\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n'], { asked });
    assert.deepEqual([parsed.outcome, parsed.status, parsed.switchedTo], ['complete', 426, '']);
  });
});
