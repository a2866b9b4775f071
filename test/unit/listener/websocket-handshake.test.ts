import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeaderFields } from '../../../src/http/header-fields.ts';
import { readWebSocketRequest } from '../../../src/listener/websocket-handshake.ts';
import { PorticoError } from '../../../src/response/portico-error.ts';

const handshake: Readonly<Record<string, string>> = {
  upgrade: 'websocket',
  connection: 'Upgrade',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

function read(changes: Readonly<Record<string, string>> = {}, more: Record<string, unknown> = {}) {
  const entries = Object.entries({ ...handshake, ...changes }).flat();
  const head = { method: 'GET', target: '/', rawPath: '/', query: undefined, host: 'h', bodyLength: 0, close: false };
  return readWebSocketRequest({ ...head, ...more, fields: new HeaderFields(entries) });
}

test('a whole handshake is read, with its subprotocols in order', () => {
  assert.deepEqual(read(), { protocols: [] });
  assert.deepEqual(read({ upgrade: 'h2c, WebSocket', connection: 'keep-alive, upgrade' }), { protocols: [] });
  assert.deepEqual(read({ 'sec-websocket-protocol': 'chat , superchat' }), { protocols: ['chat', 'superchat'] });
});

test('what asks for no WebSocket is none', () => {
  assert.equal(read({ upgrade: 'h2c' }), undefined);
  assert.equal(read({ connection: 'keep-alive' }), undefined);
  assert.equal(read({}, { method: 'POST' }), undefined);
  assert.equal(read({}, { close: true }), undefined);
});

test('what asks for one in a wrong way is an error', () => {
  const codeOf = (...args: Parameters<typeof read>): string | undefined => {
    const result = read(...args);
    return result instanceof PorticoError ? result.code : undefined;
  };
  assert.equal(codeOf({ 'sec-websocket-version': '8' }), 'websocket_version');
  assert.equal(codeOf({ 'sec-websocket-key': 'short' }), 'request_malformed');
  assert.equal(codeOf({ 'sec-websocket-protocol': 'a, a' }), 'request_malformed');
  assert.equal(codeOf({ 'sec-websocket-protocol': 'a b' }), 'request_malformed');
  assert.equal(codeOf({}, { bodyLength: 3 }), 'request_malformed');
  assert.equal(codeOf({}, { bodyLength: undefined }), 'request_malformed');
});
