import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { Certificate } from './certificate.ts';

/** What a listener's contexts have in common besides the certificates. */
export type ContextOptions = Pick<
  SecureContextOptions,
  | 'minVersion'
  | 'ciphers'
  | 'ecdhCurve'
  | 'sigalgs'
  | 'ca'
  | 'crl'
  | 'secureOptions'
  | 'ticketKeys'
  | 'honorCipherOrder'
>;

/** What handshakes for some names are made with. */
export interface ServedContext {
  readonly context: SecureContext;
  /** What `context` was made of, for a server of its own. */
  readonly pairs: { readonly cert: string[]; readonly key: string[] };
  /** One for each kind of key. */
  readonly certificates: readonly Certificate[];
}

/**
 * The certificates of a listener by name: exact names first, then wildcards, then the default. Certificates of different
 * kinds of key for the same name share a context, and the handshake takes the one that the client can use.
 */
export class CertificateStore {
  readonly certificates: readonly Certificate[];
  readonly default: ServedContext | undefined;
  /** Whether names differ in what handshakes are made with. */
  readonly hasSeveral: boolean;
  readonly #exact = new Map<string, ServedContext>();
  /** By what stands behind the `*`: `.example.com`. */
  readonly #wildcard = new Map<string, ServedContext>();

  /**
   * @param certificates the first one is the default
   * @throws Error of OpenSSL when one cannot be used
   */
  constructor(certificates: readonly Certificate[], options: ContextOptions) {
    this.certificates = certificates;
    const contexts = new Map<string, ServedContext>();
    const groups = groupByName(certificates);
    for (const [name, group] of groups) {
      const key = group.map(({ files }) => files.certificate).join('\0');
      let served = contexts.get(key);
      if (served === undefined) {
        const pairs = pairsOf(group);
        served = { context: createSecureContext({ ...options, ...pairs }), pairs, certificates: group };
        contexts.set(key, served);
      }
      if (name.startsWith('*.')) this.#wildcard.set(name.slice(1), served);
      else this.#exact.set(name, served);
    }
    const [first] = certificates;
    const firstName = first?.names[0] ?? '';
    this.default = this.#exact.get(firstName) ?? this.find(firstName);
    this.hasSeveral = contexts.size > 1;
  }

  /** The context for a name that a client asks for; undefined when no certificate is for it. @param name in any case */
  find(name: string): ServedContext | undefined {
    const lower = name.toLowerCase();
    const exact = this.#exact.get(lower);
    if (exact !== undefined) return exact;
    // RFC 6125 section 6.4.3: the wildcard stands for one label.
    const dot = lower.indexOf('.');
    return dot < 0 ? undefined : this.#wildcard.get(lower.slice(dot));
  }
}

function pairsOf(group: readonly Certificate[]): { cert: string[]; key: string[] } {
  return { cert: group.map(({ chain }) => chain), key: group.map(({ key }) => key) };
}

/** For each name the certificates for it, one for each kind of key; the first given counts. */
function groupByName(certificates: readonly Certificate[]): Map<string, Certificate[]> {
  const groups = new Map<string, Certificate[]>();
  for (const certificate of certificates) {
    // A wildcard in the name that the first label of a host stands for, as in *.example.com.
    for (const name of certificate.names.length === 0 ? [''] : certificate.names) {
      const group = groups.get(name) ?? [];
      if (!group.some(({ keyType }) => keyType === certificate.keyType)) group.push(certificate);
      groups.set(name, group);
    }
  }
  return groups;
}
