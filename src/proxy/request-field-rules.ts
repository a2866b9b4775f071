import { clientClaims, forwardedFieldNames } from './forwarded-fields.ts';
import { hopByHopRequestFields } from './hop-by-hop.ts';

interface Rule {
  readonly name: string;
  /** Passed on all the same when a trusted proxy sends it. */
  readonly ifTrusted: boolean;
}

/** Which of a client's fields are passed on. */
export class RequestFieldRules {
  /** By length of the name: names are new strings in each request, and comparing a few is cheaper than hashing each. */
  private readonly byLength: Rule[][] = [];

  /** @param changed names in lower case that the route sets or removes */
  constructor(changed: Iterable<string>) {
    const rules = new Map<string, boolean>();
    for (const name of clientClaims) rules.set(name, true);
    for (const name of [...hopByHopRequestFields, ...forwardedFieldNames, ...changed]) rules.set(name, false);
    for (const [name, ifTrusted] of rules) (this.byLength[name.length] ??= []).push({ name, ifTrusted });
  }

  /**
   * @param name    in lower case
   * @param trusted whether the peer is a trusted proxy
   */
  passes(name: string, trusted: boolean): boolean {
    const rules = this.byLength[name.length];
    if (rules !== undefined) {
      for (const rule of rules) if (rule.name === name) return rule.ifTrusted && trusted;
    }
    // Gunicorn, WSGI and CGI make one name of `X-A` and `X_A`: a client could speak for a proxy by the latter.
    return !name.includes('_') && (trusted || !name.startsWith('x-forwarded-'));
  }
}
