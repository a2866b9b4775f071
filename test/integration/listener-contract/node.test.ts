import { canReusePort, createNodeEngine } from '../../../src/listener/node-engine.ts';
import { contract } from './contract.ts';

contract('Node.js sockets', createNodeEngine, {
  pipelined: 'served',
  halfClosed: 'served',
  tellsLargeHeads: true,
  sharesPorts: canReusePort,
});
