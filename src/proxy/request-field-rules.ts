import { hopByHopFields } from '../http/hop-by-hop.ts';
import { clientClaims, forwardedFieldNames } from './forwarded-fields.ts';

/** Names remembered with their verdict: browsers send some thirty; the bound is against made-up ones. */
const maxRemembered = 512;
const longestRemembered = 64;

/**
 * Fields of a request that end at a proxy, and those that it writes itself. `proxy` is dropped because CGI programs take it
 * for the HTTP_PROXY of their environment.
 */
export const hopByHopRequestFields: readonly string[] = [
  ...hopByHopFields,
  'proxy',
  'http2-settings',
  'expect',
  'content-length',
  'host',
];

/** Which of a client's fields are passed on. */
export class RequestFieldRules {
  /** Names that are not passed on; true for those that are all the same when a trusted proxy sends them. */
  private readonly rules = new Map<string, boolean>();
  /**
   * What stands before the value of each name seen, for clients and for trusted proxies: looked up in one go, where working
   * it out and joining the pieces costs several times that for each field of each request.
   */
  private readonly ofClients = new Map<string, string>();
  private readonly ofProxies = new Map<string, string>();

  /** @param changed names in lower case that the route sets or removes */
  constructor(changed: Iterable<string>) {
    for (const name of clientClaims) this.rules.set(name, true);
    for (const name of [...hopByHopRequestFields, ...forwardedFieldNames, ...changed]) this.rules.set(name, false);
  }

  /**
   * @param name    in lower case
   * @param trusted whether the peer is a trusted proxy
   * @returns what stands before the field's value, a line break and `name: `; empty when the field is not passed on
   */
  linePrefix(name: string, trusted: boolean): string {
    const remembered = trusted ? this.ofProxies : this.ofClients;
    const known = remembered.get(name);
    if (known !== undefined) return known;
    const prefix = this.passes(name, trusted) ? `\r\n${name}: ` : '';
    // Read back from bytes: one piece of text is copied faster than three joined ones, as often as it is used from now on.
    const flat = Buffer.from(prefix, 'latin1').toString('latin1');
    if (remembered.size < maxRemembered && name.length <= longestRemembered) remembered.set(name, flat);
    return flat;
  }

  private passes(name: string, trusted: boolean): boolean {
    const ifTrusted = this.rules.get(name);
    if (ifTrusted !== undefined) return ifTrusted && trusted;
    // Gunicorn, WSGI and CGI make one name of `X-A` and `X_A`: a client could speak for a proxy by the latter.
    return !name.includes('_') && (trusted || !name.startsWith('x-forwarded-'));
  }
}
