import { after } from 'node:test';
import { type ConnectionOptions, connect } from 'node:tls';
import { canReusePort } from '../../../src/listener/reuse-port.ts';
import { tlsEngine } from '../../support/http2-server.ts';
import { RawClient } from '../../support/raw-client.ts';
import { TestCertificates } from '../../support/test-certificates.ts';
import { contract } from './contract.ts';

const certificates = new TestCertificates();
after(() => certificates.remove());

RawClient.dial = (port, host) => {
  const options: ConnectionOptions & { allowHalfOpen: boolean } = {
    port,
    host,
    servername: 'localhost',
    rejectUnauthorized: false,
    allowHalfOpen: true,
  };
  return { socket: connect(options), ready: 'secureConnect' };
};

contract('Node.js sockets over TLS', tlsEngine(certificates), {
  scheme: 'https',
  pipelined: 'served',
  halfClosed: 'gone',
  tellsLargeHeads: true,
  sharesPorts: canReusePort,
});
