import type { ListenAddress } from '../config/config.ts';
import { PorticoError } from '../response/portico-error.ts';
import type { IncomingBody } from './incoming-body.ts';
import type { RemoteAddresses } from './remote-address.ts';
import type {
  UwsApp,
  UwsListenSocket,
  UwsModule,
  UwsRequest,
  UwsResponse,
  UwsTlsOptions,
  UwsWebSocketContext,
} from './uws-api.ts';
import { UwsConnection } from './uws-connection.ts';
import type { UwsEngineCore } from './uws-engine-core.ts';
import { type UwsConnectionSource, UwsExchange } from './uws-exchange.ts';
import type { UwsRequestReader } from './uws-request-head.ts';
import { webSocketBehavior } from './uws-websocket-behavior.ts';

/** What the listeners of an engine share. */
export interface UwsListenerParts {
  readonly uws: UwsModule;
  readonly core: UwsEngineCore;
  readonly reader: UwsRequestReader;
  readonly addresses: RemoteAddresses;
}

/**
 * From this size on a piece of a body may be what fitted into the 512 KB that uWebSockets.js decrypts at once: more lies
 * behind it, and is lost when something is written from within the callback.
 */
const fullReadBytes = 256 * 1024;

/** One listening address. It has a uWebSockets.js app of its own, because a request does not say which socket it came through. */
export class UwsListener implements UwsConnectionSource {
  readonly address: string;
  /** As given to `listen`. */
  host: string | undefined = undefined;
  port = 0;
  connections = 0;
  /** What TLS is spoken with; undefined for plain HTTP. */
  readonly tls: UwsTlsOptions | undefined;
  readonly #parts: UwsListenerParts;
  readonly #app: UwsApp;
  /** Requests with a body that were read in this turn of the event loop. */
  #waiting: UwsExchange[] = [];
  #socket: UwsListenSocket | undefined;
  /** Within the closing of a connection that was not let in. */
  #refusing = false;

  /** @throws Error when TLS cannot be spoken with these files */
  constructor(parts: UwsListenerParts, address: string, tls?: UwsTlsOptions) {
    const { uws, core } = parts;
    this.#parts = parts;
    this.address = address;
    this.tls = tls;
    this.#app = tls === undefined ? uws.App() : uws.SSLApp(tls);
    this.#app.filter((response, change) => {
      this.connections += change;
      if (change > 0) this.#admit(response);
      else this.#ended();
    });
    const behavior = webSocketBehavior(
      core.maxWebSocketPayload,
      (response, request, context) => this.#receive(response, request, context),
      () => {
        this.connections -= 1;
        this.#ended();
      },
    );
    this.#app.ws('/*', behavior);
    // Most requests: it need not be asked what method they have.
    this.#app.get('/*', (response, request) => this.#receive(response, request, undefined, 'GET'));
    this.#app.any('/*', (response, request) => this.#receive(response, request));
  }

  get scheme(): 'http' | 'https' {
    return this.tls === undefined ? 'http' : 'https';
  }

  /** Whether it accepts connections. */
  get open(): boolean {
    return this.#socket !== undefined;
  }

  /** @throws Error with a message for the operator */
  listen({ host, port, address }: ListenAddress): void {
    if (!Number.isInteger(port) || port < 0 || port > 65_535) {
      throw new Error(`cannot listen on ${address}: ${port} is not a port (0 to 65535)`);
    }
    if (host !== undefined && (host === '' || /[\0\s]/.test(host))) {
      throw new Error(`cannot listen on ${address}: ${JSON.stringify(host)} is not a host`);
    }
    this.host = host;
    const opened = (socket: UwsListenSocket | false): void => {
      if (socket !== false) this.#socket = socket;
    };
    if (host === undefined) this.#app.listen(port, opened);
    else this.#app.listen(host.replace(/^\[(.*)\]$/, '$1'), port, opened);
    if (this.#socket === undefined) {
      throw new Error(
        `cannot listen on ${address}: the port is in use, the address is not one of this machine, or the port needs privileges (below 1024)`,
      );
    }
    this.port = this.#parts.uws.us_socket_local_port(this.#socket);
  }

  /** Stops accepting; what is connected lives on. */
  unlisten(): void {
    if (this.#socket === undefined) return;
    const socket = this.#socket;
    // A second close of the same socket would free it twice.
    this.#socket = undefined;
    this.#parts.uws.us_listen_socket_close(socket);
  }

  /** Cuts everything. */
  close(): void {
    this.#socket = undefined;
    this.#app.close();
  }

  /** Closes a connection that is not let in: the callback for its end comes from within. */
  #admit(response: UwsResponse): void {
    const keeper = this.#parts.core.handler.connections;
    if (keeper === undefined) return;
    const address = keeper.wantsAddress
      ? this.#parts.addresses.format(new Uint8Array(response.getRemoteAddress()))
      : '';
    if (keeper.admit(address, false)) return;
    this.#refusing = true;
    response.close();
    this.#refusing = false;
  }

  #ended(): void {
    // Whose connection it was nobody knows any more.
    if (!this.#refusing) this.#parts.core.handler.connections?.ended(undefined);
  }

  /** No throw may leave here: uWebSockets.js would end the process. */
  #receive(response: UwsResponse, request: UwsRequest, upgrade?: UwsWebSocketContext, method?: string): void {
    let exchange: UwsExchange | undefined;
    try {
      const glanced =
        upgrade === undefined && this.#parts.core.glances ? this.#parts.reader.glance(request, method) : undefined;
      const head = glanced ?? this.#parts.reader.read(request, method);
      exchange = new UwsExchange(this.#parts.core, response, head, this, upgrade);
      if (glanced !== undefined && this.#glance(exchange, response)) return;
      // Whoever answers later may ask for it when the response is complete, and its native object dead.
      void exchange.connection.remoteAddress;
      if (head.refusal !== undefined) this.#refuseSoon(exchange, head.refusal, response);
      else if (head.bodyLength === 0) this.#handleNow(exchange, response);
      else this.#handleSoon(exchange, response);
    } catch (cause) {
      this.#parts.core.report(new PorticoError('internal', 'receiving a request has thrown', { cause }));
      if (exchange === undefined) response.close();
      else exchange.abort();
    }
  }

  /** @returns whether the request has been answered, or is being answered; otherwise it is read whole by now */
  #glance(exchange: UwsExchange, response: UwsResponse): boolean {
    const { head } = exchange;
    exchange.corked = true;
    const answered = this.#parts.core.glance(exchange);
    exchange.corked = false;
    if (exchange.over) {
      this.#parts.core.finish(exchange);
      head.release();
      return true;
    }
    head.readWhole();
    if (!answered) {
      this.#parts.reader.glancedInVain();
      return false;
    }
    // Of a request that is no proper one, no more is sent.
    if (head.refusal !== undefined) exchange.abort();
    else response.onAborted(() => exchange.clientGone());
    return true;
  }

  #handleNow(exchange: UwsExchange, response: UwsResponse): void {
    exchange.corked = true;
    this.#parts.core.handle(exchange);
    exchange.corked = false;
    if (exchange.over) this.#parts.core.finish(exchange);
    // Only one that is not answered yet needs it: the call costs as much as the rest of a small response.
    else if (!exchange.nativelyComplete) response.onAborted(() => exchange.clientGone());
  }

  /**
   * A request with a body is handled outside uWebSockets.js's callback for requests, so that what follows on the connection
   * cannot overtake it: within the one for the body when that comes whole, which is before anything behind it is looked at; else
   * right after what was read. */
  #handleSoon(exchange: UwsExchange, response: UwsResponse): void {
    const body = exchange.body as IncomingBody;
    response.onAborted(() => exchange.clientGone());
    response.onData((chunk, last) => {
      try {
        body.receive(chunk, last, this.#mayHideMore(chunk, exchange));
      } catch (error) {
        exchange.fail(error);
      }
    });
    if (this.#waiting.push(exchange) === 1) setImmediate(this.#handleWaiting);
  }

  #mayHideMore({ byteLength }: ArrayBuffer, { head }: UwsExchange): boolean {
    if (this.tls === undefined) return false;
    // Chunks come one by one, however many were decrypted.
    return head.bodyLength === undefined || byteLength >= fullReadBytes;
  }

  readonly #handleWaiting = (): void => {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const exchange of waiting) {
      if (exchange.started || exchange.over) continue;
      (exchange.body as IncomingBody).awaitMore();
      this.#parts.core.handle(exchange);
    }
  };

  /** Likewise a request that is refused: answered within the callback, the rest of what was read would still be served. */
  #refuseSoon(exchange: UwsExchange, refusal: PorticoError, response: UwsResponse): void {
    exchange.mustClose = true;
    response.onAborted(() => exchange.clientGone());
    setImmediate(refuse, exchange, refusal);
  }

  connectionOf(response: UwsResponse | undefined): UwsConnection {
    return new UwsConnection(this, this.#parts.addresses, response);
  }
}

function refuse(exchange: UwsExchange, refusal: PorticoError): void {
  exchange.engine.refuseMalformed(exchange, refusal);
}
