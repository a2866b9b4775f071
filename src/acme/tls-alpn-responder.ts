import type { SecureContext, TLSSocket, TlsOptions } from 'node:tls';
import type { PendingChallenges } from './pending-challenges.ts';

/** The protocol that an authority asks for when it looks at a challenge (RFC 8737 section 4). */
export const challengeProtocol = 'acme-tls/1';

/**
 * Lets a server answer TLS-ALPN-01 challenges besides what it does anyway. A connection that was one ends up with
 * `acme-tls/1` as its protocol: nothing follows on it.
 * @param options   of the server, with its `SNICallback`
 * @param protocols what clients are offered by ALPN, best first
 */
export function answerChallenges(
  options: TlsOptions & { readonly SNICallback: NonNullable<TlsOptions['SNICallback']> },
  protocols: readonly string[],
  challenges: Pick<PendingChallenges, 'contextFor'>,
): TlsOptions {
  const challenged = new WeakMap<TLSSocket, SecureContext>();
  return {
    ...options,
    ALPNCallback(this: TLSSocket, offer) {
      const context = isChallenge(offer.protocols) ? challenges.contextFor(offer.servername) : undefined;
      if (context === undefined) return protocols.find((protocol) => offer.protocols.includes(protocol));
      // In TLS 1.2 the certificate was chosen before; in 1.3 it will be, by what is called below.
      challenged.set(this, context);
      this.setKeyCert(context);
      return challengeProtocol;
    },
    SNICallback(this: TLSSocket, name, done) {
      const context = challenged.get(this);
      if (context !== undefined) return done(null, context);
      options.SNICallback(name, (error, chosen) => {
        // Refused perhaps only because there is no certificate for the name yet, which the authority is to help against.
        const pending = error === null ? undefined : challenges.contextFor(name);
        if (pending === undefined) done(error, chosen);
        else done(null, pending);
      });
    },
  };
}

/** RFC 8737 section 4: that protocol and no other. */
function isChallenge(protocols: readonly string[]): boolean {
  return protocols.length === 1 && protocols[0] === challengeProtocol;
}
