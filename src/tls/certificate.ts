import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { chainOf } from './certificate-chain.ts';
import { diskFiles, type TlsFiles } from './tls-files.ts';

/** Where a certificate and its key lie; absolute paths. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

/** A certificate that cannot be used. The message says which file and why, in one line, and holds nothing of the key. */
export class CertificateError extends Error {
  readonly file: string;

  constructor(file: string, message: string, options?: ErrorOptions) {
    super(`${file}: ${message}`, options);
    this.name = 'CertificateError';
    this.file = file;
  }
}

/** A certificate with its chain and its key, read and found to belong together. */
export interface Certificate {
  readonly files: CertificateFiles;
  /** DNS names in lower case that it is for, `*.example.com` among them. */
  readonly names: readonly string[];
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** `rsa`, `ec`, `ed25519` … */
  readonly keyType: string;
  /** PEM: the certificate and those of its issuers. */
  readonly chain: string;
  /** PEM. */
  readonly key: string;
  readonly leaf: X509Certificate;
}

const pemBlock = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** @throws CertificateError */
export function readCertificate(files: CertificateFiles, source: TlsFiles = diskFiles): Certificate {
  const chain = readText(files.certificate, source);
  const [first] = chain.match(pemBlock) ?? [];
  if (first === undefined) throw new CertificateError(files.certificate, 'there is no certificate in PEM in it');
  const leaf = parseLeaf(files.certificate, first);
  const key = readText(files.key, source);
  const privateKey = parseKey(files.key, key);
  if (!leaf.checkPrivateKey(privateKey)) {
    const isFurther = chainOf(chain).some((other) => other.checkPrivateKey(privateKey));
    const why = isFurther
      ? `the key belongs to a certificate further down in ${files.certificate}, which must come first`
      : `the key does not belong to the certificate in ${files.certificate}`;
    throw new CertificateError(files.key, why);
  }
  return {
    files,
    names: namesOf(leaf),
    notBefore: Date.parse(leaf.validFrom),
    notAfter: Date.parse(leaf.validTo),
    keyType: privateKey.asymmetricKeyType ?? 'unknown',
    chain,
    key,
    leaf,
  };
}

function readText(file: string, source: TlsFiles): string {
  try {
    return source.read(file);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new CertificateError(file, code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`, {
      cause,
    });
  }
}

function parseLeaf(file: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new CertificateError(file, 'its first certificate is damaged', { cause });
  }
}

function parseKey(file: string, pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    const encrypted = pem.includes('ENCRYPTED');
    throw new CertificateError(
      file,
      encrypted
        ? 'the key is encrypted, and nobody is there to type a passphrase'
        : 'there is no private key in PEM in it',
      {
        cause,
      },
    );
  }
}

/** Subject alternative names count; the common name does where there are none (as clients of old did it). */
function namesOf(leaf: X509Certificate): string[] {
  const alternatives = leaf.subjectAltName ?? '';
  const names = [...alternatives.matchAll(/DNS:([^,]+)/g)].map((match) => (match[1] ?? '').trim().toLowerCase());
  if (names.length > 0) return names;
  const common = /(?:^|\n)CN=([^\n]+)/.exec(leaf.subject)?.[1];
  return common === undefined ? [] : [common.toLowerCase()];
}
