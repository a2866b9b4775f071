import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import { type CertificateParts, certificateParts } from '../x509/certificate-parts.ts';
import { derTags, identifierOf, implicitTag, partsOf, readDer } from '../x509/der-reader.ts';

const identifiers = {
  authorityInformation: '1.3.6.1.5.5.7.1.1',
  tlsFeature: '1.3.6.1.5.5.7.1.24',
  ocsp: '1.3.6.1.5.5.7.48.1',
} as const;
const uriTag = implicitTag(6);
/** RFC 7633: the number of the TLS extension that the server promises, `status_request`. */
const statusRequest = 5;

/** A certificate, and whom to ask whether it is good still. */
export interface OcspSubject {
  readonly leaf: X509Certificate;
  readonly issuer: X509Certificate;
  /** An http:// URL. */
  readonly responder: string;
}

/** What a certificate says about its revocation. */
export interface RevocationFacts {
  /** URL of the responder that it names; undefined: none that can be asked. */
  readonly responder: string | undefined;
  /** Whether clients refuse it without a stapled response (RFC 7633). */
  readonly mustStaple: boolean;
}

/** A certificate that is damaged in these places says nothing. */
export function revocationFacts(leaf: X509Certificate): RevocationFacts {
  try {
    const { extensions } = certificateParts(leaf);
    return { responder: responderIn(extensions), mustStaple: promisesStaple(extensions) };
  } catch {
    return { responder: undefined, mustStaple: false };
  }
}

/** @param chain a certificate with those of its issuers. @returns why its state cannot be asked for, in words */
export function ocspSubject(chain: readonly X509Certificate[]): OcspSubject | string {
  const [leaf, ...issuers] = chain;
  if (leaf === undefined) return 'there is no certificate';
  const { responder } = revocationFacts(leaf);
  if (responder === undefined) return 'it names no OCSP responder';
  const issuer = issuers.find((other) => isIssuer(other, leaf)) ?? rootFor(leaf);
  return issuer === undefined ? 'the certificate of its issuer is not in the file' : { leaf, issuer, responder };
}

/** Whether one has signed the other. */
export function isIssuer(issuer: X509Certificate, subject: X509Certificate): boolean {
  try {
    return subject.checkIssued(issuer) && subject.verify(issuer.publicKey);
  } catch {
    return false;
  }
}

function rootFor(leaf: X509Certificate): X509Certificate | undefined {
  for (const pem of rootCertificates) {
    const root = new X509Certificate(pem);
    if (isIssuer(root, leaf)) return root;
  }
  return undefined;
}

/** RFC 5280 section 4.2.2.1. Over https:// its own certificate would have to be asked for first. */
function responderIn(extensions: CertificateParts['extensions']): string | undefined {
  const value = extensions.get(identifiers.authorityInformation);
  if (value === undefined) return undefined;
  for (const description of partsOf(readDer(value))) {
    const [method, location] = partsOf(description);
    if (identifierOf(method) !== identifiers.ocsp || location?.tag !== uriTag) continue;
    const url = location.content.toString('latin1');
    if (URL.canParse(url) && new URL(url).protocol === 'http:') return url;
  }
  return undefined;
}

function promisesStaple(extensions: CertificateParts['extensions']): boolean {
  const value = extensions.get(identifiers.tlsFeature);
  if (value === undefined) return false;
  return partsOf(readDer(value)).some(({ tag, content }) => {
    return tag === derTags.integer && content.length === 1 && content[0] === statusRequest;
  });
}
