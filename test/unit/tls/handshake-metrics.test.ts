import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { metricNames } from '../../../src/metrics/names.ts';
import { HandshakeMetrics } from '../../../src/tls/handshake-metrics.ts';
import { UnknownNameError } from '../../../src/tls/tls-acceptor.ts';
import { FakeRecorder } from '../../support/fake-recorder.ts';

const cases: readonly (readonly [reason: string, error: Error])[] = [
  ['unknown_name', new UnknownNameError()],
  ['timeout', coded('ERR_TLS_HANDSHAKE_TIMEOUT')],
  ['closed', coded('ECONNRESET')],
  ['no_tls', coded('ERR_SSL_HTTP_REQUEST')],
  ['version', coded('ERR_SSL_UNSUPPORTED_PROTOCOL')],
  ['cipher', coded('ERR_SSL_NO_SHARED_CIPHER')],
  ['refused_by_client', coded('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA')],
  ['client_certificate', coded('CERT_HAS_EXPIRED')],
  ['client_certificate', coded('UNABLE_TO_VERIFY_LEAF_SIGNATURE')],
  ['client_certificate', coded('ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE')],
  ['protocol', coded('ERR_SSL_BAD_RECORD_TYPE')],
  ['protocol', new Error('without a code')],
];

for (const [reason, error] of cases) {
  test(`a handshake that failed with ${'code' in error ? String(error.code) : 'no code'} counts as ${reason}`, () => {
    const recorder = new FakeRecorder();
    new HandshakeMetrics(recorder).failed(error);
    assert.equal(recorder.value(metricNames.tlsHandshakesFailed, { reason }), 1);
  });
}

function coded(code: string): Error {
  return Object.assign(new Error(code), { code });
}

test('handshakes count by their version, full and resumed ones apart', () => {
  const recorder = new FakeRecorder();
  const metrics = new HandshakeMetrics(recorder);
  metrics.succeeded(secured('TLSv1.3', false));
  metrics.succeeded(secured('TLSv1.3', true));
  metrics.succeeded(secured('TLSv1.3', true));
  metrics.succeeded(secured('TLSv1.2', false));
  metrics.succeeded(secured(null, false));
  const count = (version: string, resumed: string): number =>
    recorder.value(metricNames.tlsHandshakes, { version, resumed });
  assert.deepEqual([count('1.3', 'no'), count('1.3', 'yes'), count('1.2', 'no'), count('1.2', 'yes')], [1, 2, 1, 0]);
  assert.equal(count('unknown', 'no'), 1);
});

/** As much of a socket as is counted by. */
function secured(protocol: string | null, resumed: boolean): TLSSocket {
  return { getProtocol: () => protocol, isSessionReused: () => resumed } as unknown as TLSSocket;
}
