import { after } from 'node:test';
import { type ConnectionOptions, connect } from 'node:tls';
import { createUwsEngine } from '../../../src/listener/uws-engine.ts';
import { tlsEngine } from '../../support/http2-server.ts';
import { RawClient } from '../../support/raw-client.ts';
import { TestCertificates } from '../../support/test-certificates.ts';
import { contract } from './contract.ts';

// Read by the native module when it loads, which is when the first engine is made.
process.env['UWS_HTTP_MAX_HEADERS_SIZE'] = String(32 * 1024);

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

contract('uWebSockets.js over TLS', tlsEngine(certificates, false, createUwsEngine), {
  scheme: 'https',
  pipelined: 'closed',
  halfClosed: 'gone',
  tellsLargeHeads: false,
  sharesPorts: true,
});
