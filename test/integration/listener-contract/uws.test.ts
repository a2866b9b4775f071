import type { EngineFactory } from '../../../src/listener/engine.ts';
import { createUwsEngine } from '../../../src/listener/uws-engine.ts';
import { contract } from './contract.ts';

// Read by the native module when it loads, which is when the first engine is made.
process.env['UWS_HTTP_MAX_HEADERS_SIZE'] = String(32 * 1024);

const factory: EngineFactory = (handler, timeouts) => createUwsEngine(handler, timeouts);

contract('uWebSockets.js', factory, {
  scheme: 'http',
  pipelined: 'closed',
  halfClosed: 'gone',
  tellsLargeHeads: false,
  sharesPorts: true,
});
