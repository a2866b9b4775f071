import assert from 'node:assert/strict';
import { test } from 'node:test';
import { webSocketDefaults } from '../../../src/config/websocket-defaults.ts';
import { routeWebSocket } from '../../../src/config/websocket-schema.ts';

test('a route that says nothing about WebSockets has the defaults', () => {
  assert.deepEqual(routeWebSocket.parse({}), webSocketDefaults);
  assert.deepEqual(routeWebSocket.parse(undefined), webSocketDefaults);
  assert.equal(routeWebSocket.parse(false), false);
});
