import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { connect as connectTcp } from 'node:net';
import { after, afterEach, describe, test } from 'node:test';
import { connect } from 'node:tls';
import { createNodeEngine } from '../../../src/listener/node-engine.ts';
import { metricNames } from '../../../src/metrics/names.ts';
import { OcspError } from '../../../src/ocsp/ocsp-error.ts';
import { fetchOcsp } from '../../../src/ocsp/ocsp-fetch.ts';
import { ocspRequest } from '../../../src/ocsp/ocsp-request.ts';
import { readOcspResponse } from '../../../src/ocsp/ocsp-response.ts';
import { OcspStaples } from '../../../src/ocsp/ocsp-staples.ts';
import { type OcspSubject, ocspSubject } from '../../../src/ocsp/ocsp-subject.ts';
import { verifyResponse } from '../../../src/ocsp/ocsp-verification.ts';
import { OcspStapler } from '../../../src/primary/ocsp-stapler.ts';
import { readCertificate } from '../../../src/tls/certificate.ts';
import { chainOf } from '../../../src/tls/certificate-chain.ts';
import { type TlsConfig, TlsTerminator } from '../../../src/tls/tls-terminator.ts';
import { plain } from '../../support/contract-server.ts';
import { FakeRecorder } from '../../support/fake-recorder.ts';
import { OcspAuthority } from '../../support/ocsp-authority.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { type TestCertificate, TestCertificates } from '../../support/test-certificates.ts';
import { waitFor } from '../../support/wait-for.ts';

const authority = await OcspAuthority.start();
const strangers = new TestCertificates();
after(() => {
  authority.close();
  strangers.remove();
});
afterEach(() => {
  authority.answer = (request, response) => authority.good(request, response);
});
const site = authority.make('site', ['example.com']);
const other = authority.make('other', ['other.test']);
const promising = authority.make('promising', ['promise.test'], { mustStaple: true });
const subject = subjectOf(site);
const request = ocspRequest(subject);
const dayMs = 86_400_000;

function subjectOf(certificate: TestCertificate): OcspSubject {
  const found = ocspSubject(chainOf(readCertificate(certificate).chain));
  assert.ok(typeof found !== 'string');
  return found;
}

function failureOf(bytes: Buffer, now = Date.now()): string {
  try {
    verifyResponse(bytes, subject, now);
  } catch (error) {
    assert.ok(error instanceof OcspError, String(error));
    return error.failure;
  }
  return 'none';
}

describe('a response of openssl ocsp', () => {
  test('proves that a certificate is good, signed by the issuer or by one whom it has appointed', () => {
    const response = authority.sign(request, {});
    const staple = verifyResponse(response, subject, Date.now());
    assert.equal(staple.validUntil - staple.thisUpdate, dayMs);
    assert.deepEqual(staple.response, response);
    assert.equal(failureOf(authority.sign(request, { signer: authority.appointed })), 'none');
  });

  test('counts for an hour when it does not say for how long', () => {
    const staple = verifyResponse(authority.sign(request, { validity: [] }), subject, Date.now());
    assert.equal(staple.validUntil - staple.thisUpdate, 3_600_000);
  });

  test('that says revoked or unknown is no staple', () => {
    assert.equal(failureOf(authority.sign(request, { index: authority.indexOf('R') })), 'revoked');
    assert.equal(failureOf(authority.sign(request, { index: authority.indexOf('none') })), 'unknown');
  });

  test('proves nothing when it is out of date or from the future', () => {
    const response = authority.sign(request, {});
    assert.equal(failureOf(response, Date.now() + dayMs), 'stale');
    assert.equal(failureOf(response, Date.now() - 600_000), 'stale');
  });

  test('proves nothing with a signature by anybody else', () => {
    assert.equal(failureOf(authority.sign(request, { signer: other })), 'invalid');
    assert.equal(failureOf(authority.sign(request, { signer: strangers.root })), 'invalid');
    const forged = strangers.make('forger', [], { extensions: ['extendedKeyUsage=OCSPSigning'] });
    assert.equal(failureOf(authority.sign(request, { signer: forged })), 'invalid');
  });

  test('proves nothing with a byte changed anywhere, or cut off anywhere', () => {
    const response = authority.sign(request, { signer: authority.appointed });
    const { signed, signature } = readOcspResponse(response);
    const start = response.indexOf(signed);
    const proof = start + signed.length + response.subarray(start + signed.length).indexOf(signature);
    const isProven = (at: number): boolean =>
      (at >= start && at < start + signed.length) || (at >= proof && at < proof + signature.length);
    for (let at = 0; at < response.length; at += 1) {
      const changed = Buffer.from(response);
      changed[at] = (changed[at] ?? 0) ^ 0x01;
      const failure = failureOf(changed);
      if (isProven(at)) assert.notEqual(failure, 'none', `byte ${at}`);
      if (at % 7 === 0) assert.notEqual(failureOf(response.subarray(0, at)), 'none');
    }
  });

  test('about another certificate proves nothing', () => {
    assert.equal(failureOf(authority.sign(ocspRequest(subjectOf(other)), {})), 'invalid');
  });

  test('may be a refusal', () => {
    // RFC 6960 section 4.2.1: tryLater.
    assert.equal(failureOf(Buffer.from('30030a0103', 'hex')), 'refused');
    assert.equal(failureOf(Buffer.from('nonsense')), 'invalid');
  });
});

describe('asking a responder', () => {
  const fetched = (limitMs?: number): Promise<Buffer> => fetchOcsp(subject, new AbortController().signal, limitMs);
  const rejects = (why: RegExp, limitMs?: number): Promise<void> =>
    assert.rejects(fetched(limitMs), (error: Error) => error instanceof OcspError && why.test(error.message));

  test('gives what it says', async () => {
    assert.equal(failureOf(await fetched()), 'none');
  });

  test('ends in time when it says nothing, or too slowly', async () => {
    authority.answer = () => undefined;
    await rejects(/no answer within 0\.3 s/, 300);
    const timers: NodeJS.Timeout[] = [];
    authority.answer = (_request, response) => void timers.push(setInterval(() => response.write('0'), 20));
    await rejects(/no answer within 0\.3 s/, 300);
    for (const timer of timers) clearInterval(timer);
  });

  test('fails with an error status, a redirect, or an answer without end', async () => {
    const status = (code: number) => (_request: Buffer, response: ServerResponse) =>
      void response.writeHead(code, { location: authority.url }).end();
    authority.answer = status(503);
    await rejects(/status 503/);
    authority.answer = status(302);
    await rejects(/status 302/);
    authority.answer = (_request, response) => void response.end(Buffer.alloc(20_000));
    await rejects(/larger than 16384 bytes/);
  });

  test('fails when nobody is there', async () => {
    const nowhere = subjectOf(authority.make('nowhere', ['nowhere.test'], { url: 'http://127.0.0.1:1/' }));
    await assert.rejects(fetchOcsp(nowhere, new AbortController().signal), /ECONNREFUSED/);
  });

  test('is not done over https, which would ask about another certificate first', () => {
    const secure = authority.make('secure', ['secure.test'], { url: 'https://127.0.0.1/' });
    assert.equal(ocspSubject(chainOf(readCertificate(secure).chain)), 'it names no OCSP responder');
  });
});

interface Stapling {
  readonly port: number;
  readonly logger: RecordingLogger;
  readonly recorder: FakeRecorder;
  readonly stapler: OcspStapler;
  readonly staples: OcspStaples;
  /** Milliseconds by which the clock is ahead. */
  ahead: number;
  close(): void;
}

/** @param ahead of the clock, milliseconds */
async function stapling(
  certificates: readonly TestCertificate[],
  more: Partial<TlsConfig> = {},
  ahead = 0,
): Promise<Stapling> {
  const config: TlsConfig = {
    certificates,
    unknownNames: 'default',
    minVersion: '1.2',
    handshakeTimeout: 10_000,
    http2: true,
    ocsp: 'auto',
    ...more,
  };
  const engine = createNodeEngine(
    {
      handle: (exchange) => exchange.respond(plain, Buffer.alloc(0)),
      refuse: () => undefined,
      finished: () => undefined,
    },
    { requestBodyMs: 60_000, sendMs: 60_000, minBodyRate: 0, minBodyRateGraceMs: 0 },
  );
  const now = (): number => Date.now() + server.ahead;
  const [logger, recorder, staples] = [new RecordingLogger(), new FakeRecorder(), new OcspStaples(now)];
  const stapler = new OcspStapler({ logger, recorder, now, broadcast: (entries) => staples.replace(entries) });
  const terminator = new TlsTerminator(config, undefined, { staples });
  const port = await engine.listen({ address: 'tls', host: '127.0.0.1', port: 0, tls: config }, terminator);
  const close = (): void => {
    stapler.close();
    engine.close();
  };
  const server: Stapling = { port, logger, recorder, stapler, staples, ahead, close };
  stapler.apply(certificates.map(readCertificate));
  return server;
}

/** What is stapled to a handshake; empty when nothing is. */
async function stapled(
  port: number,
  servername: string,
  maxVersion: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3',
): Promise<Buffer> {
  const options = { port, host: '127.0.0.1', servername, requestOCSP: true, rejectUnauthorized: false, maxVersion };
  const socket = connect(options);
  const [response] = (await once(socket, 'OCSPResponse')) as [Buffer | null];
  socket.destroy();
  return response ?? Buffer.alloc(0);
}

const hasStaple = async (port: number, servername = 'example.com'): Promise<boolean> =>
  (await stapled(port, servername)).length > 0;

describe('stapling', () => {
  test('sends the response about the certificate that the client gets, by any version', async () => {
    const server = await stapling([site, other]);
    await waitFor(() => server.stapler.staples.length === 2, 'the responses');
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      assert.equal(failureOf(await stapled(server.port, 'example.com', version)), 'none');
      assert.equal(failureOf(await stapled(server.port, 'other.test', version)), 'invalid');
      verifyResponse(await stapled(server.port, 'other.test', version), subjectOf(other), Date.now());
    }
    // Who names nobody gets the first certificate.
    assert.equal(failureOf(await stapled(server.port, '')), 'none');
    assert.equal(server.recorder.value(metricNames.ocspFetches, { certificate: 'example.com', result: 'good' }), 1);
    const until = server.recorder.value(metricNames.ocspValidUntil, { certificate: 'example.com' });
    assert.ok(Math.abs(until * 1000 - Date.now() - dayMs) < 60_000);
    server.close();
    assert.ok(Number.isNaN(server.recorder.value(metricNames.ocspValidUntil, { certificate: 'example.com' })));
  });

  test('costs handshakes nothing while a responder hangs', async () => {
    authority.answer = () => undefined;
    const server = await stapling([site]);
    assert.equal(await hasStaple(server.port), false);
    server.close();
  });

  test('never sends what has expired, and says that it has nothing', async () => {
    const server = await stapling([promising]);
    await waitFor(() => hasStaple(server.port, 'promise.test'), 'the response');
    server.ahead = dayMs + 1;
    assert.equal(await hasStaple(server.port, 'promise.test'), false);
    server.close();
  });

  test('says once that nothing is stapled, and each time when the certificate promises it', async () => {
    authority.answer = (_request, response) => void response.writeHead(500).end();
    const server = await stapling([site, promising]);
    await waitFor(() => server.logger.entries.length >= 2, 'the complaints');
    assert.match(server.logger.messages('warn').join(), /OCSP about example\.com: .*status 500; nothing is stapled/);
    assert.match(server.logger.messages('error').join(), /OCSP about promise\.test: .*clients that know the promise/);
    server.close();
  });

  test('drops a response when the certificate is revoked, and tells as an error', async () => {
    authority.answer = (asked, response) => authority.revoked(asked, response);
    const server = await stapling([site]);
    await waitFor(() => server.logger.messages('error').length > 0, 'the complaint');
    assert.match(server.logger.messages('error')[0] ?? '', /the responder says that the certificate is revoked/);
    assert.equal(server.recorder.value(metricNames.ocspFetches, { certificate: 'example.com', result: 'revoked' }), 1);
    assert.equal(await hasStaple(server.port), false);
    server.close();
  });

  // A minute is the shortest life that openssl gives a response; the clock is so far ahead that seconds of it are left.
  const brief = ['-nmin', '1'];
  const briefAhead = 56_000;

  test('fetches a response anew before it expires', async () => {
    authority.answer = (asked, response) => void response.end(authority.sign(asked, { validity: brief }));
    const server = await stapling([site], {}, briefAhead);
    await waitFor(() => server.stapler.staples.length === 1, 'the response');
    const [first] = server.stapler.staples;
    await waitFor(() => (server.stapler.staples[0]?.validUntil ?? 0) > (first?.validUntil ?? 0), 'another one');
    assert.deepEqual(server.logger.messages('warn'), []);
    server.close();
  });

  test('keeps the former response while it counts when none comes, and then goes without', async () => {
    let count = 0;
    authority.answer = (asked, response) => {
      count += 1;
      if (count > 1) response.writeHead(500).end();
      else response.end(authority.sign(asked, { validity: brief }));
    };
    const server = await stapling([site], {}, briefAhead);
    await waitFor(() => server.logger.messages('warn').length > 0, 'the failure');
    assert.match(server.logger.messages('warn')[0] ?? '', /status 500; the former response is stapled while it counts/);
    assert.equal(await hasStaple(server.port), true);
    await waitFor(() => server.stapler.staples.length === 0, 'its end');
    assert.equal(await hasStaple(server.port), false);
    assert.match(server.logger.messages('warn')[1] ?? '', /counts no more; nothing is stapled/);
    server.close();
  });

  test('asks nobody twice about one certificate, and about a new one at once', async () => {
    const live = authority.make('live', ['live.test']);
    const server = await stapling([live, site]);
    await waitFor(() => server.stapler.staples.length === 2, 'the responses');
    const before = authority.requests;
    const renewed = authority.make('renewed', ['live.test']);
    copyFileSync(renewed.certificate, live.certificate);
    copyFileSync(renewed.key, live.key);
    server.stapler.apply([live, site, site].map(readCertificate));
    await waitFor(() => server.stapler.staples.length === 2, 'the response about the new one');
    assert.equal(authority.requests, before + 1);
    server.close();
  });

  test('staples nothing where certificates of two kinds of key stand side by side', async () => {
    const rsa = authority.made.make('rsa', ['example.com'], { type: 'rsa' });
    const server = await stapling([site, rsa]);
    await waitFor(() => server.stapler.staples.length === 1, 'the response');
    assert.equal(await hasStaple(server.port), false);
    server.close();
  });

  test('is off where it is told to be', async () => {
    const server = await stapling([site], { ocsp: 'off' });
    await waitFor(() => server.stapler.staples.length === 1, 'the response, for another listener');
    assert.equal(await hasStaple(server.port), false);
    server.close();
  });

  test('says why nobody can be asked about a certificate that promises it', async () => {
    const lonely = authority.make('lonely', ['lonely.test'], { mustStaple: true });
    const [leaf = ''] = readFileSync(lonely.certificate, 'utf8').match(/-----BEGIN[^]+?END CERTIFICATE-----\n/) ?? [];
    writeFileSync(lonely.certificate, leaf);
    const server = await stapling([lonely]);
    assert.match(
      server.logger.messages('warn')[0] ?? '',
      /lonely\.test is stapled: the certificate of its issuer is not/,
    );
    server.close();
  });
});

test('a client that goes away while responses are fetched harms nobody', async () => {
  const server = await stapling([site]);
  const socket = connectTcp(server.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.resetAndDestroy();
  await waitFor(() => hasStaple(server.port), 'the response');
  server.close();
});
