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

/** Clients remembered with their lines: those with requests under way, more or less. */
const maxRemembered = 1024;

/** What the lines about a client depend on besides the host, and the lines around the one of the host. */
interface RememberedLines extends Pick<ClientIdentity, 'scheme' | 'port'> {
  readonly before: string;
  readonly behind: string;
}

/** Writes the fields that tell who asked, as far as the route does not set or remove them itself. */
export class ForwardedFields {
  private readonly wanted: ReadonlySet<OwnField>;
  private readonly wantsHost: boolean;
  private readonly wantsRequestId: boolean;
  private readonly wantsStandard: boolean;
  /** By address: the latest lines of clients that no proxy speaks for, the same in each of their requests. */
  private readonly remembered = new Map<string, RememberedLines>();

  /**
   * @param standard whether the `Forwarded` field (RFC 7239) is written
   * @param changed  names in lower case that the route sets or removes
   */
  constructor(standard: boolean, changed: ReadonlySet<string>) {
    this.wanted = new Set(
      forwardedFieldNames.filter((name) => !changed.has(name) && (standard || name !== 'forwarded')),
    );
    this.wantsHost = this.wanted.has('x-forwarded-host');
    this.wantsRequestId = this.wanted.has('x-request-id');
    this.wantsStandard = this.wanted.has('forwarded');
  }

  /** The lines, each with a line break before it. */
  write(context: RequestContext, client: ClientIdentity): string {
    const { before, behind } = client.trusted ? this.linesAround(context, client) : this.remember(context, client);
    let lines = before;
    if (this.wantsHost) lines = `${lines}\r\nX-Forwarded-Host: ${client.host}${behind}`;
    if (this.wantsRequestId) lines = `${lines}\r\nX-Request-Id: ${context.requestId}`;
    if (this.wantsStandard) {
      const former = client.trusted ? context.exchange.head.fields.list('forwarded') : undefined;
      lines += `\r\nForwarded: ${former === undefined ? '' : `${former}, `}${this.element(context, client)}`;
    }
    return lines;
  }

  private remember(context: RequestContext, client: ClientIdentity): RememberedLines {
    const { remembered } = this;
    const { address, scheme, port } = client;
    const known = remembered.get(address);
    if (known !== undefined && known.port === port && known.scheme === scheme) return known;
    const { before, behind } = this.linesAround(context, client);
    // As in `RequestFieldRules.linePrefix`, each in one piece of text.
    const lines = { scheme, port, before: flat(before), behind: flat(behind) };
    if (remembered.size >= maxRemembered) remembered.clear();
    remembered.set(address, lines);
    return lines;
  }

  /** Where no line of the host is wanted, all of them stand before it. */
  private linesAround(context: RequestContext, client: ClientIdentity): RememberedLines {
    const { wanted } = this;
    const { scheme, port } = client;
    let before = '';
    const addresses = wanted.has('x-forwarded-for') ? this.forwardedFor(context, client) : '';
    if (addresses !== '') before += `\r\nX-Forwarded-For: ${addresses}`;
    if (wanted.has('x-forwarded-proto')) before += `\r\nX-Forwarded-Proto: ${scheme}`;
    let behind = '';
    if (wanted.has('x-forwarded-port')) behind += `\r\nX-Forwarded-Port: ${port}`;
    // A peer on a Unix socket has none.
    if (wanted.has('x-real-ip') && client.address !== '') behind += `\r\nX-Real-IP: ${client.address}`;
    return this.wantsHost ? { scheme, port, before, behind } : { scheme, port, before: before + behind, behind: '' };
  }

  /** The client, or behind a trusted proxy its list with the proxy at the end. */
  private forwardedFor({ exchange }: RequestContext, client: ClientIdentity): string {
    if (!client.trusted) return client.address;
    const former = exchange.head.fields.list('x-forwarded-for');
    const { remoteAddress } = exchange.connection;
    if (former === undefined || remoteAddress === '') return former ?? remoteAddress;
    return `${former}, ${remoteAddress}`;
  }

  /** This hop as an element of `Forwarded`: `for` is the peer, whoever the client may be behind it. */
  private element({ exchange }: RequestContext, client: ClientIdentity): string {
    const peer = exchange.connection.remoteAddress;
    const node = peer === '' ? 'unknown' : peer.includes(':') ? `"[${peer}]"` : peer;
    return `for=${node};host="${client.host}";proto=${client.scheme}`;
  }
}

function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
