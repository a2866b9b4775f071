import type { ListenAddress } from '../config/config.ts';
import type { RequestContext } from '../request/request-context.ts';
import { ResponseHead, responseHead } from '../response/response-head.ts';
import type { Route } from '../route/route.ts';

/** Authorities of certificates ask over HTTP (RFC 8555 section 8.3), and follow redirects to a certificate that is not there yet. */
const challengePath = '/.well-known/acme-challenge/';
const httpsPort = 443;
const nothing = Buffer.alloc(0);
// 308 keeps method and body (RFC 9110 section 15.4.9).
const { block } = responseHead(308, [['Cache-Control', 'no-store']]);
const start = Buffer.concat([block, Buffer.from('\r\nLocation: https://')]);
// What may not stand in a URI raw, and would end the field or be read differently: controls, space, backslash, beyond ASCII.
// oxlint-disable-next-line no-control-regex
const unsafe = /[^\x21-\x5b\x5d-\x7e]/g;

/** Sends clients of listeners with `redirectToHttps` to the same place over HTTPS, ahead of all sites. */
export class HttpsRedirect {
  /** By the configured address, the port to go to. */
  readonly #ports = new Map<string, number>();
  readonly #route: Route;

  constructor(listen: readonly ListenAddress[]) {
    const secure = listen.find(({ tls, socket }) => tls !== undefined && socket === undefined)?.port ?? httpsPort;
    for (const { address, redirectToHttps } of listen) {
      if (redirectToHttps === undefined || redirectToHttps === false) continue;
      this.#ports.set(address, redirectToHttps === true ? secure : redirectToHttps);
    }
    this.#route = {
      site: 'portico',
      name: 'https-redirect',
      bodyLimit: 0,
      responseFields: nothing,
      removedResponseFields: new Set(),
      errorPages: new Map(),
      handler: { handle: (context) => this.#redirect(context) },
    };
  }

  /** Undefined when no listener redirects, so that nobody has to ask. */
  static of(listen: readonly ListenAddress[]): HttpsRedirect | undefined {
    return listen.some(({ redirectToHttps = false }) => redirectToHttps !== false)
      ? new HttpsRedirect(listen)
      : undefined;
  }

  /** The route that redirects a request; undefined for one that comes over HTTPS, or to such a proxy in front, already. */
  find({ exchange, client, path }: RequestContext): Route | undefined {
    if (client?.scheme === 'https' || path.startsWith(challengePath)) return undefined;
    return this.#ports.has(exchange.connection.listener) ? this.#route : undefined;
  }

  #redirect({ exchange, client }: RequestContext): void {
    const { head, connection } = exchange;
    const host = (client?.host ?? head.host).replace(/:\d+$/, '');
    const port = this.#ports.get(connection.listener) ?? httpsPort;
    const authority = port === httpsPort ? host : `${host}:${port}`;
    const target = head.target.replaceAll(unsafe, (text) => encodeURIComponent(Buffer.from(text).toString()));
    const location = `${authority}${target.startsWith('/') ? target : '/'}`;
    exchange.respond(new ResponseHead(308, Buffer.concat([start, Buffer.from(location, 'latin1')])), nothing);
  }
}
