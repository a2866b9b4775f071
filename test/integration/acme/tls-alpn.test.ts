import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { after, before, describe, type TestContext, test } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { challengeCertificate } from '../../../src/acme/own-certificate.ts';
import { RunningIssuer } from '../../support/running-issuer.ts';
import { TestCertificates } from '../../support/test-certificates.ts';

const issuer = new RunningIssuer();
const amongKeys = new RunningIssuer();
const certificates = new TestCertificates();

before(async () => {
  const rsa = certificates.make('rsa', ['a.test'], { type: 'rsa' });
  for (const [one, more] of [
    [issuer, []],
    [amongKeys, [rsa, certificates.make('ec', ['a.test'])]],
  ] as const) {
    const config = one.config({ directory: 'https://localhost:1/', authority: '' }, { domains: ['a.test'] });
    // Nobody is asked: what stands in is served.
    one.run({ ...config, authority: undefined });
    await one.listenSecurely(config, more);
    const proof = (name: string) =>
      ({ type: 'tls-alpn-01', name, ...challengeCertificate(name, `token of ${name}`, Date.now()) }) as const;
    one.challenges.replace([proof('a.test'), proof('new.test')]);
  }
});
after(() => {
  issuer.close();
  amongKeys.close();
  certificates.remove();
});

async function dial(
  t: TestContext,
  servername: string,
  options: ConnectionOptions,
  port = issuer.tlsPort,
): Promise<TLSSocket> {
  const more = { rejectUnauthorized: false, ...options };
  const socket = connect({ port, host: '127.0.0.1', servername, ...more });
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

/** Whether the certificate that the server shows has the extension of RFC 8737. */
function isProof({ raw }: X509Certificate): boolean {
  return raw.includes(Buffer.from('06082b0601050507011f', 'hex'));
}

function shown(socket: TLSSocket): X509Certificate {
  return new X509Certificate(socket.getPeerCertificate().raw);
}

describe('a listener with TLS-ALPN-01 challenges', () => {
  for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
    test(`shows the proof to an authority that speaks ${maxVersion}, and closes behind it`, async (t) => {
      for (const name of ['a.test', 'new.test']) {
        const socket = await dial(t, name, { ALPNProtocols: ['acme-tls/1'], maxVersion });
        assert.equal(socket.alpnProtocol, 'acme-tls/1');
        const certificate = shown(socket);
        assert.ok(isProof(certificate));
        assert.equal(certificate.subjectAltName, `DNS:${name}`);
        socket.resume();
        await once(socket, 'close');
      }
    });

    test(`shows nothing of it to everybody else who speaks ${maxVersion}`, async (t) => {
      for (const protocols of [['h2', 'http/1.1'], ['http/1.1'], ['http/1.1', 'acme-tls/1'], undefined]) {
        const offer = protocols === undefined ? {} : { ALPNProtocols: protocols };
        const socket = await dial(t, 'a.test', { ...offer, maxVersion });
        assert.equal(socket.alpnProtocol, protocols?.[0] ?? false);
        assert.ok(!isProof(shown(socket)));
      }
    });

    test(`shows the proof also beside certificates with other keys that a client of ${maxVersion} prefers`, async (t) => {
      const ecdsa = 'ecdsa_secp256r1_sha256';
      const rsaFirst = `rsa_pss_rsae_sha256:rsa_pkcs1_sha256:${ecdsa}`;
      for (const sigalgs of [rsaFirst, ecdsa, `${ecdsa}:rsa_pss_rsae_sha256`]) {
        const offer = { maxVersion, sigalgs };
        const prover = await dial(t, 'a.test', { ...offer, ALPNProtocols: ['acme-tls/1'] }, amongKeys.tlsPort);
        assert.equal(prover.alpnProtocol, 'acme-tls/1');
        assert.ok(isProof(shown(prover)), sigalgs);
        const visitor = await dial(t, 'a.test', { ...offer, ALPNProtocols: ['http/1.1'] }, amongKeys.tlsPort);
        assert.ok(!isProof(shown(visitor)), sigalgs);
      }
      const rsaAlone = { maxVersion, sigalgs: 'rsa_pss_rsae_sha256:rsa_pkcs1_sha256' };
      const other = await dial(t, 'a.test', { ...rsaAlone, ALPNProtocols: ['http/1.1'] }, amongKeys.tlsPort);
      assert.equal(shown(other).publicKey.asymmetricKeyType, 'rsa');
      // Nothing but the proof is ever shown: who cannot take it is told so.
      await assert.rejects(dial(t, 'a.test', { ...rsaAlone, ALPNProtocols: ['acme-tls/1'] }, amongKeys.tlsPort));
    });

    test(`refuses ${maxVersion} for a name without a challenge`, async (t) => {
      await assert.rejects(dial(t, 'other.test', { ALPNProtocols: ['acme-tls/1'], maxVersion }));
      await assert.rejects(dial(t, 'other.test', { ALPNProtocols: ['http/1.1'], maxVersion }));
    });
  }
});
