import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import type { Certificate } from './certificate.ts';

const pemBlock = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates of a chain file that can be read, in their order. */
export function chainOf(pem: string): X509Certificate[] {
  return (pem.match(pemBlock) ?? []).flatMap((block) => {
    try {
      return [new X509Certificate(block)];
    } catch {
      return [];
    }
  });
}

/**
 * What is wrong with the chain behind a certificate, in words; undefined when nothing is. Clients complete a chain by
 * the roots that they know and by nothing else (RFC 8446 section 4.4.2).
 */
export function chainFault({ chain }: Pick<Certificate, 'chain'>): string | undefined {
  const certificates = chainOf(chain);
  for (const [index, certificate] of certificates.entries()) {
    if (certificate.checkIssued(certificate)) return undefined;
    const next = certificates[index + 1];
    if (next === undefined) return missingIssuer(certificate);
    if (certificate.checkIssued(next)) continue;
    const elsewhere = certificates.some((other) => certificate.checkIssued(other));
    return elsewhere
      ? `its certificates are in the wrong order: behind ${nameOf(certificate.subject)} must come its issuer, ${nameOf(certificate.issuer)}`
      : `behind ${nameOf(certificate.subject)} comes ${nameOf(next.subject)}, which is not its issuer: ${nameOf(certificate.issuer)} is missing`;
  }
  return undefined;
}

function missingIssuer(last: X509Certificate): string | undefined {
  const known = rootCertificates.some((pem) => last.checkIssued(new X509Certificate(pem)));
  if (known) return undefined;
  return `the chain is not complete: ${nameOf(last.issuer)}, the issuer of ${nameOf(last.subject)}, is neither in the file nor a public root, so that clients who do not know it refuse`;
}

/** A distinguished name in short. */
function nameOf(distinguished: string): string {
  const common = /(?:^|\n)CN=([^\n]+)/.exec(distinguished)?.[1];
  return `"${common ?? distinguished.replaceAll('\n', ', ')}"`;
}
