import { readFileSync } from 'node:fs';
import { revocationFacts } from '../ocsp/ocsp-subject.ts';
import { chainOf } from '../tls/certificate-chain.ts';
import type { TlsConfig } from '../tls/tls-config.ts';

/** uWebSockets.js closes connections that have not sent a request by then. */
const handshakeMs = 10_000;

/**
 * What of a listener's TLS uWebSockets.js cannot do, as keys and why; empty when it can serve the address. Decision 0074 says
 * how that was found.
 */
export function uwsObstacles(tls: TlsConfig): string[] {
  const { certificates, directory, acme, clientCertificates, unknownNames, minVersion, handshakeTimeout } = tls;
  const obstacles: [isOne: boolean, text: string][] = [
    [tls.http2, 'http2 (set http2: false)'],
    [certificates.length !== 1 || directory !== undefined, 'more than one certificate, or a directory of them'],
    [acme !== undefined, 'acme'],
    [clientCertificates !== undefined, 'clientCertificates'],
    [unknownNames !== 'default', 'unknownNames: refuse'],
    [minVersion !== '1.2', 'a minVersion of 1.3'],
    [handshakeTimeout !== handshakeMs, 'a handshakeTimeout other than 10s'],
    [tls.ocsp === 'auto' && certificates.some(hasResponder), 'OCSP stapling (set ocsp: off)'],
  ];
  return obstacles.flatMap(([isOne, text]) => (isOne ? [text] : []));
}

/** What cannot be read is told of elsewhere. */
function hasResponder({ certificate }: TlsConfig['certificates'][number]): boolean {
  try {
    const [leaf] = chainOf(readFileSync(certificate, 'utf8'));
    return leaf !== undefined && revocationFacts(leaf).responder !== undefined;
  } catch {
    return false;
  }
}
