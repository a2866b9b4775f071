import { createNodeEngine } from '../../../src/listener/node-engine.ts';
import { canReusePort } from '../../../src/listener/reuse-port.ts';
import { contract } from './contract.ts';

contract('Node.js sockets', createNodeEngine, {
  scheme: 'http',
  pipelined: 'served',
  halfClosed: 'served',
  tellsLargeHeads: true,
  sharesPorts: canReusePort,
});
