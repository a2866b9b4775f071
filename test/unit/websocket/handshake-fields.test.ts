import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientResponseHead, readRequestHead } from '../../../src/websocket/handshake-fields.ts';

test('a request head is taken apart without its handshake fields, its target untouched', () => {
  const { target, fields } = readRequestHead(
    'GET /a/../%7e?x HTTP/1.1\r\nHost: h\r\ncookie: a=1\r\ncookie: b=2\r\nx-list: 1\r\nx-list: 2\r\nConnection: close\r\n' +
      'sec-websocket-key: k\r\nsec-websocket-version: 13\r\nsec-websocket-extensions: permessage-deflate\r\nsec-websocket-protocol: chat\r\n\r\n',
  );
  assert.equal(target, '/a/../%7e?x');
  assert.deepEqual(fields, {
    Host: 'h',
    cookie: 'a=1; b=2',
    'x-list': '1, 2',
    'sec-websocket-protocol': 'chat',
  });
});

test('a value with a colon or bytes beyond ASCII stays whole', () => {
  const { fields } = readRequestHead('GET / HTTP/1.1\r\nX-A: b: c: \xe9\r\n\r\n');
  assert.deepEqual(fields, { 'X-A': 'b: c: \xe9' });
});

test('hop-by-hop fields, framing, instructions and removed fields do not reach the client', () => {
  const raw = ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'Connection', 'Upgrade', 'Upgrade', 'websocket'];
  raw.push('Sec-WebSocket-Accept', 'x', 'Date', 'now', 'Content-Length', '3', 'X-Accel-Redirect', '/x', 'Server', 's');
  raw.push('Proxy-Anything', 'y', 'X-Kept', '\xe9');
  const head = clientResponseHead(101, raw, new Set(['server']));
  assert.equal(
    head.block.toString('latin1'),
    '101 Switching Protocols\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Kept: \xe9',
  );
});
