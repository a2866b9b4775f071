import { z } from 'zod';
import { keyFacts } from './key-facts.ts';
import { file, folder, textLike, textOf } from './schema-values.ts';

/** What the key of an external account is; the compilation looks, since no message is to repeat a wrong one. */
export const externalKeyAllowed = 'a key in base64url, as the authority gives it out';

const externalAccount = z.strictObject({
  keyId: textOf('the identifier of a key, as the authority gives it out').describe(
    'Identifier of the key. NGINX: `acme_issuer … external_account_key`.',
  ),
  key: textOf(externalKeyAllowed).describe(
    'The key, in base64url. Better from the environment than in the file: `${ACME_KEY}`. NGINX: `external_account_key`.',
  ),
});

/** Certificates that are had from an authority by ACME (RFC 8555). */
export const acme = z.strictObject({
  domains: z
    .array(textOf('a host name such as example.com'))
    .min(1)
    .max(100)
    .register(keyFacts, { allowed: 'a list of 1 to 100 host names, such as example.com' })
    .describe(
      'Host names that the certificate is for, the most important first: it names the certificate in files, logs and metrics. No wildcards: they would need changes in the DNS (DNS-01). Listeners with the same storage and the same first name share one certificate. NGINX: `acme_certificate`.',
    ),
  email: textLike(/^[^\s@<>,;?]+@[^\s@<>,;?]+$/, 'an e-mail address')
    .optional()
    .describe('Where the authority writes to, when something is wrong. NGINX: `contact`.'),
  directory: textLike(/^https:\/\/[\x21-\x7e]+$/, 'the https:// URL of a directory')
    .optional()
    .describe(
      "URL of the authority's directory. Without it Let's Encrypt, whose terms of service are accepted by using it, as are those of every other authority. NGINX: `acme_issuer … uri`.",
    ),
  staging: z
    .boolean()
    .default(false)
    .describe(
      "Takes Let's Encrypt's staging environment, whose certificates no browser trusts and whose limits are wide: for trying out. NGINX: `acme_issuer … uri`.",
    ),
  authority: file
    .optional()
    .describe(
      "PEM file with the certificates that the authority's own server is checked against, for an authority of one's own; without it those that Node.js trusts. NGINX: `ssl_trusted_certificate`.",
    ),
  externalAccount: externalAccount
    .optional()
    .describe(
      'Binds the account to one that the authority knows otherwise (external account binding), as ZeroSSL, Google and Sectigo want it. NGINX: `external_account_key`.',
    ),
  storage: folder
    .default('/var/lib/portico/acme')
    .describe(
      'Folder for account keys, certificates and orders under way; it is made, readable by its owner alone. It has to outlive the program: in a container it belongs on a volume. NGINX: `state_path`.',
    ),
  challenges: z
    .array(z.enum(['http-01', 'tls-alpn-01']))
    .min(1)
    .register(keyFacts, { allowed: 'a list with http-01, tls-alpn-01 or both' })
    .default(['http-01', 'tls-alpn-01'])
    .describe(
      'How the authority may look whether the names lead here, best first: `http-01` on port 80, on any listener without TLS; `tls-alpn-01` on port 443, on this listener. After a failure the next one is tried. NGINX: `challenge`.',
    ),
  keyType: z
    .enum(['ecdsa', 'rsa'])
    .default('ecdsa')
    .describe(
      'Key of the certificate: ECDSA on P-256, or RSA with 2048 bits for clients that are very old. NGINX: `acme_certificate … key=`.',
    ),
  renewAt: z
    .int()
    .min(10)
    .max(90)
    .default(66)
    .describe(
      'Percent of its lifetime after which a certificate is renewed, up to 2 less at random, unless the authority suggests another time (RFC 9773). NGINX: none.',
    ),
});

export type AcmeInput = z.output<typeof acme>;
