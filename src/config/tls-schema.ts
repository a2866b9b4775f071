import { z } from 'zod';
import { acme } from './acme-schema.ts';
import { fieldName, file, folder } from './schema-values.ts';
import { duration } from './units.ts';

const certificate = z.strictObject({
  certificate: file.describe(
    'PEM file with the certificate and, behind it, those of its issuers. NGINX: `ssl_certificate`. HAProxy: `crt`.',
  ),
  key: file.describe('PEM file with the private key. NGINX: `ssl_certificate_key`.'),
});

const clientCertificates = z.strictObject({
  ca: file.describe('PEM file with the authorities whose certificates are good. NGINX: `ssl_client_certificate`.'),
  mode: z
    .enum(['required', 'optional'])
    .default('required')
    .describe(
      'Whether a connection without a good certificate is closed, or served all the same and the application told. NGINX: `ssl_verify_client`. HAProxy: `verify`.',
    ),
  revocationList: file
    .optional()
    .describe('PEM file with certificates that are good no more, by the same authorities. NGINX: `ssl_crl`.'),
  headers: z
    .strictObject({
      verified: fieldName
        .default('X-Client-Cert-Verified')
        .describe('`SUCCESS`, `NONE` without a certificate, or `FAILED:` and why. NGINX: `$ssl_client_verify`.'),
      subject: fieldName
        .default('X-Client-Cert-Subject')
        .describe('Whose it is, as `CN=…,O=…` (RFC 4514); of a good certificate only. NGINX: `$ssl_client_s_dn`.'),
      fingerprint: fieldName
        .default('X-Client-Cert-Fingerprint')
        .describe('SHA-256 of the certificate in hexadecimal; of a good one only. NGINX: `$ssl_client_fingerprint`.'),
    })
    .prefault({})
    .describe('Fields by which the application is told. Those of clients are taken out on every listener.'),
});

/** What browsers' lists of sites that come over HTTPS only ask for (hstspreload.org). */
export const preloadMs = 365 * 86_400_000;

const hsts = z.strictObject({
  maxAge: duration({ max: 2 * preloadMs })
    .prefault('365d')
    .describe('How long browsers remember. Begin with a short time: it cannot be taken back before.'),
  includeSubDomains: z.boolean().default(false).describe('Whether it goes for every name below the host as well.'),
  preload: z
    .boolean()
    .default(false)
    .describe('Allows browsers to have the host built in. Needs `includeSubDomains` and a `maxAge` of at least 365d.'),
});

/** TLS of a listener. */
export const listenerTls = z.strictObject({
  certificates: z
    .array(certificate)
    .default([])
    .describe(
      'Certificates, chosen by the name that the client asks for (SNI); the first is for clients that name none. One of RSA and one of ECDSA for the same names stand side by side.',
    ),
  directory: folder
    .optional()
    .describe(
      'Folder with further certificates: each `NAME.pem` or `NAME.crt` that has a `NAME.key` beside it. Files that come, change or go are noticed. HAProxy: `crt` with a directory.',
    ),
  acme: acme
    .optional()
    .describe(
      'Has a certificate from an authority (ACME, RFC 8555), and renews it by itself. NGINX: `acme_certificate`. HAProxy: `acme`.',
    ),
  unknownNames: z
    .enum(['default', 'refuse'])
    .default('default')
    .describe(
      'What clients get that ask for a name of no certificate: the first certificate, or an alert. NGINX: `ssl_reject_handshake`. HAProxy: `strict-sni`.',
    ),
  minVersion: z
    .enum(['1.2', '1.3'])
    .default('1.2')
    .describe('Oldest version of TLS that is spoken. NGINX: `ssl_protocols`. HAProxy: `ssl-min-ver`.'),
  clientCertificates: clientCertificates
    .optional()
    .describe(
      'Asks clients for a certificate. Sessions are not resumed on such a listener. NGINX: `ssl_verify_client`. HAProxy: `ca-file`, `crl-file`.',
    ),
  hsts: hsts
    .optional()
    .describe(
      'Tells browsers by Strict-Transport-Security to come over HTTPS only, on responses that have no such field of the application. NGINX: `add_header Strict-Transport-Security`. HAProxy: `http-response set-header`.',
    ),
  http2: z.boolean().default(true).describe('Offers HTTP/2 beside HTTP/1.1. NGINX: `http2`. HAProxy: `alpn`.'),
  ocsp: z
    .enum(['auto', 'off'])
    .default('auto')
    .describe(
      'Whether to fetch what authorities say about the revocation of certificates that name an OCSP responder, and to send it in handshakes (stapling). NGINX: `ssl_stapling`, `ssl_stapling_verify`. HAProxy: `ocsp-update`.',
    ),
  handshakeTimeout: duration({ min: 1000 })
    .prefault('10s')
    .describe('Longest time for a handshake. NGINX: `client_header_timeout`.'),
});

/** What is said where there is neither a certificate nor a folder of them. */
export const noCertificateAllowed = 'at least one certificate, a directory with some, or acme';

export type ListenerTlsInput = z.output<typeof listenerTls>;
