import type { ClientIdentity } from '../request/client-identity.ts';
import type { RequestContext } from '../request/request-context.ts';

/** Fields that tell an application who asked. Always written here, so that what a client sends of them never passes. */
export const forwardedFieldNames = [
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-real-ip',
  'x-request-id',
  'forwarded',
] as const;
type OwnField = (typeof forwardedFieldNames)[number];

/**
 * What a client could say about itself, or about where a request goes, and an application believe; besides `x-forwarded-*`.
 * Passed on from trusted proxies only.
 */
export const clientClaims: readonly string[] = [
  'x-scheme',
  'x-url-scheme',
  'front-end-https',
  'x-client-ip',
  'x-cluster-client-ip',
  'true-client-ip',
  'x-original-forwarded-for',
  'x-original-host',
  'x-original-proto',
  'x-original-url',
  'x-rewrite-url',
  'x-script-name',
  'x-sendfile-type',
  'x-accel-mapping',
];

/** Writes the fields that tell who asked, as far as the route does not set or remove them itself. */
export class ForwardedFields {
  private readonly wanted: ReadonlySet<OwnField>;
  /**
   * @param standard whether the `Forwarded` field (RFC 7239) is written
   * @param changed  names in lower case that the route sets or removes
   */
  constructor(standard: boolean, changed: ReadonlySet<string>) {
    this.wanted = new Set(
      forwardedFieldNames.filter((name) => !changed.has(name) && (standard || name !== 'forwarded')),
    );
  }

  /** The lines, each with its CR LF. */
  write(context: RequestContext, client: ClientIdentity): string {
    const { wanted } = this;
    const { exchange } = context;
    let lines = '';
    if (wanted.has('x-forwarded-for')) lines += `X-Forwarded-For: ${this.forwardedFor(context, client)}\r\n`;
    if (wanted.has('x-forwarded-proto')) lines += `X-Forwarded-Proto: ${client.scheme}\r\n`;
    if (wanted.has('x-forwarded-host')) lines += `X-Forwarded-Host: ${client.host}\r\n`;
    if (wanted.has('x-forwarded-port')) lines += `X-Forwarded-Port: ${client.port}\r\n`;
    if (wanted.has('x-real-ip')) lines += `X-Real-IP: ${client.address}\r\n`;
    if (wanted.has('x-request-id')) lines += `X-Request-Id: ${context.requestId}\r\n`;
    if (wanted.has('forwarded')) {
      const former = client.trusted ? exchange.head.fields.list('forwarded') : undefined;
      lines += `Forwarded: ${former === undefined ? '' : `${former}, `}${this.element(context, client)}\r\n`;
    }
    return lines;
  }

  /** The client, or behind a trusted proxy its list with the proxy at the end. */
  private forwardedFor({ exchange }: RequestContext, client: ClientIdentity): string {
    if (!client.trusted) return client.address;
    const former = exchange.head.fields.list('x-forwarded-for');
    const { remoteAddress } = exchange.connection;
    return former === undefined ? remoteAddress : `${former}, ${remoteAddress}`;
  }

  /** This hop as an element of `Forwarded`: `for` is the peer, whoever the client may be behind it. */
  private element({ exchange }: RequestContext, client: ClientIdentity): string {
    const peer = exchange.connection.remoteAddress;
    const node = peer === '' ? 'unknown' : peer.includes(':') ? `"[${peer}]"` : peer;
    return `for=${node};host="${client.host}";proto=${client.scheme}`;
  }
}
