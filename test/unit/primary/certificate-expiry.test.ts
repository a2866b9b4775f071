import assert from 'node:assert/strict';
import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import type { ListenAddress } from '../../../src/config/config.ts';
import { metricNames } from '../../../src/metrics/names.ts';
import { CertificateExpiry } from '../../../src/primary/certificate-expiry.ts';
import { readCertificate } from '../../../src/tls/certificate.ts';
import { FakeRecorder } from '../../support/fake-recorder.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { type TestCertificate, TestCertificates } from '../../support/test-certificates.ts';

const made = new TestCertificates();
after(() => made.remove());
const dayMs = 86_400_000;
const metric = metricNames.tlsCertificateNotAfter;
const labels = { names: 'example.com,www.example.com', key: 'ec' };

function listener(...certificates: readonly TestCertificate[]): ListenAddress {
  const tls = {
    certificates,
    unknownNames: 'default',
    minVersion: '1.2',
    handshakeTimeout: 1,
    ocsp: 'auto',
    http2: true,
  } as const;
  return { address: ':443', host: undefined, port: 443, tls };
}

function watching(now: () => number = Date.now) {
  const recorder = new FakeRecorder();
  const logger = new RecordingLogger();
  const expiry = new CertificateExpiry({ recorder, logger, now });
  after(() => expiry.close());
  return { recorder, logger, expiry };
}

function make(name: string, days: number): TestCertificate {
  return made.make(name, ['example.com', 'www.example.com'], { days });
}

function notAfter(certificate: TestCertificate): number {
  return readCertificate(certificate).notAfter / 1000;
}

describe('the expiry of certificates', () => {
  const long = make('long', 90);
  const short = make('short', 10);

  test('is shown by names and kind of key, the earliest of several', () => {
    const { recorder, logger, expiry } = watching();
    expiry.applyConfig([listener(long)]);
    assert.equal(recorder.value(metric, labels), notAfter(long));
    assert.deepEqual(logger.messages(), []);
    expiry.applyConfig([listener(long, short)]);
    assert.equal(recorder.value(metric, labels), notAfter(short));
    expiry.applyConfig([]);
    assert.ok(Number.isNaN(recorder.value(metric, labels)));
  });

  test('is told of once a day from three weeks before on', () => {
    let now = Date.now();
    const { logger, expiry } = watching(() => now);
    expiry.applyConfig([listener(short)]);
    expiry.check();
    assert.deepEqual(logger.messages('warn'), [`the certificate ${short.certificate} expires in 9 days`]);
    now += dayMs;
    expiry.check();
    assert.equal(logger.messages('warn').at(-1), `the certificate ${short.certificate} expires in 8 days`);
    now += 10 * dayMs;
    expiry.check();
    assert.deepEqual(logger.messages('error'), [`the certificate ${short.certificate} has expired`]);
  });

  test('follows the file, and stays while the file cannot be read', () => {
    const { recorder, expiry } = watching();
    const live = make('live', 10);
    expiry.applyConfig([listener(live)]);
    const former = recorder.value(metric, labels);
    writeFileSync(live.certificate, 'nothing');
    expiry.check();
    assert.equal(recorder.value(metric, labels), former);
    rmSync(live.certificate);
    expiry.check();
    assert.equal(recorder.value(metric, labels), former);
    copyFileSync(long.certificate, live.certificate);
    copyFileSync(long.key, live.key);
    expiry.check();
    assert.equal(recorder.value(metric, labels), notAfter(long));
  });
});
