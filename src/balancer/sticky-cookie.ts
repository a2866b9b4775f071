import { createHmac, randomBytes } from 'node:crypto';
import type { StickyConfig } from '../config/config.ts';
import { requestCookie } from '../http/cookie.ts';
import type { RequestContext } from '../request/request-context.ts';
import type { BalancedServer } from './balancer.ts';

/** Bits of a token that are kept: as many as nobody guesses. */
const tokenBytes = 18;

/**
 * The cookie that says which server a client has. Its value is a keyed hash of the server's name: it tells nothing of
 * the server, nobody can make one up, and every worker, also after a reload, understands it, as long as the secret stays.
 */
export class StickyCookie<S extends BalancedServer> {
  private readonly config: StickyConfig;
  private readonly upstream: string;
  private readonly secret: string;
  private readonly attributes: string;
  /** Whose tokens they are. */
  private servers: readonly S[] = [];
  private readonly byToken = new Map<string, S>();
  private readonly tokens = new Map<string, string>();

  /** A configuration without a secret, as the primary does not hand it out, gets a random one. */
  constructor(config: StickyConfig, upstream: string) {
    this.config = config;
    this.upstream = upstream;
    this.secret = config.secret ?? randomBytes(32).toString('base64url');
    this.attributes = attributesOf(config);
  }

  /** The server that the client has by its cookie, whether it takes requests or not. */
  serverOf(context: RequestContext, servers: readonly S[]): S | undefined {
    const token = requestCookie(context.exchange.head.fields, this.config.cookie);
    if (token === undefined) return undefined;
    this.follow(servers);
    return this.byToken.get(token);
  }

  /**
   * The Set-Cookie line for a response of the server of that name, with its line break before it. Undefined where the client has the
   * cookie already, and where it was sent elsewhere for this once, because its own server is saturated.
   */
  line(context: RequestContext, server: string, servers: readonly S[], now: number): string | undefined {
    const held = this.serverOf(context, servers);
    if (held !== undefined && (held.name === server || held.mayKeep(now))) return undefined;
    this.follow(servers);
    const token = this.tokens.get(server);
    // A server that was removed while it worked on the request.
    if (token === undefined) return undefined;
    return `\r\nSet-Cookie: ${this.config.cookie}=${token}${this.attributes}${this.isSecure(context) ? '; Secure' : ''}`;
  }

  private isSecure({ client }: RequestContext): boolean {
    const { secure } = this.config;
    return secure === 'auto' ? client?.scheme === 'https' : secure;
  }

  /** Works the tokens out anew when the servers have changed. */
  private follow(servers: readonly S[]): void {
    if (servers === this.servers) return;
    this.servers = servers;
    this.byToken.clear();
    this.tokens.clear();
    for (const server of servers) {
      const token = this.tokenOf(server.name);
      this.byToken.set(token, server);
      this.tokens.set(server.name, token);
    }
  }

  private tokenOf(server: string): string {
    const mac = createHmac('sha256', this.secret).update(`${this.upstream}\0${server}`).digest();
    return mac.subarray(0, tokenBytes).toString('base64url');
  }
}

function attributesOf({ path, domain, maxAge, httpOnly, sameSite }: StickyConfig): string {
  const attributes = [`Path=${path}`];
  if (domain !== undefined) attributes.push(`Domain=${domain}`);
  if (maxAge !== undefined) attributes.push(`Max-Age=${Math.floor(maxAge / 1000)}`);
  if (httpOnly) attributes.push('HttpOnly');
  if (sameSite !== false) attributes.push(`SameSite=${sameSite[0]?.toUpperCase()}${sameSite.slice(1)}`);
  return attributes.map((attribute) => `; ${attribute}`).join('');
}
