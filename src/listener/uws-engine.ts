import type { ListenAddress } from '../config/config.ts';
import type { TlsTerminator } from '../tls/tls-terminator.ts';
import type { Engine, EngineFactory, EngineTimeouts } from './engine.ts';
import type { ExchangeHandler } from './exchange.ts';
import { inQuietMoment } from './quiet-moment.ts';
import { RemoteAddresses } from './remote-address.ts';
import type { UwsTlsOptions } from './uws-api.ts';
import { UwsCorkAnchor } from './uws-cork-anchor.ts';
import { UwsEngineCore } from './uws-engine-core.ts';
import { UwsListener, type UwsListenerParts } from './uws-listener.ts';
import { type LoadedUws, loadUws } from './uws-module.ts';
import { UwsRequestReader } from './uws-request-head.ts';
import { uwsTlsOptions } from './uws-tls-options.ts';

// The compatibility build can lose a larger write to a full socket; the current one only has its memory bounded by this.
const compatibilityPieceBytes = 16_000;
const pieceBytes = 64 * 1024;
// What a slow client has not taken when its response ends, uWebSockets.js goes on sending for up to this long.
const tailMs = 12_000;
const tailCheckMs = 250;

/** The engine on uWebSockets.js: HTTP/1.1, over TLS with one certificate too. Loads the native module when it is called. */
export const createUwsEngine: EngineFactory = (handler, timeouts) => new UwsEngine(loadUws(), handler, timeouts);

class UwsEngine implements Engine {
  readonly name: string;
  readonly #core: UwsEngineCore;
  readonly #parts: UwsListenerParts;
  readonly #listeners = new Set<UwsListener>();
  #drained: Promise<void> | undefined;

  constructor(uws: LoadedUws, handler: ExchangeHandler, timeouts: EngineTimeouts) {
    this.name = uws.name;
    uws.module._cfg('silent');
    this.#core = uws.compatibility
      ? new UwsEngineCore(handler, timeouts, compatibilityPieceBytes, new UwsCorkAnchor(uws.module))
      : new UwsEngineCore(handler, timeouts, pieceBytes);
    const [reader, addresses] = [new UwsRequestReader(), new RemoteAddresses()];
    this.#parts = { uws: uws.module, core: this.#core, reader, addresses };
  }

  get inFlight(): number {
    return this.#core.inFlight;
  }

  get switched(): number {
    return this.#core.switched.size;
  }

  get connections(): number {
    let sum = 0;
    for (const listener of this.#listeners) sum += listener.connections;
    return sum;
  }

  async listen(address: ListenAddress, tls?: TlsTerminator): Promise<number> {
    const listener = new UwsListener(this.#parts, address.address, tls && uwsTlsOptions(tls.store));
    listener.listen(address);
    this.#listeners.add(listener);
    tls?.follow((store) => this.#prepareSuccessor(address.address, uwsTlsOptions(store)));
    return listener.port;
  }

  unlisten({ address, tls }: ListenAddress): void {
    for (const listener of this.#listeners) {
      const isSecure = listener.tls !== undefined;
      if (listener.address === address && isSecure === (tls !== undefined)) listener.unlisten();
    }
    this.#forgetLeft();
  }

  configure(timeouts: EngineTimeouts): void {
    const former = this.#core.maxWebSocketPayload;
    this.#core.configure(timeouts);
    if (this.#core.maxWebSocketPayload > former) this.#renewListeners();
  }

  drain(): Promise<void> {
    this.#drained ??= new Promise((resolve) => {
      this.#core.draining = true;
      for (const listener of this.#listeners) listener.unlisten();
      this.#core.onIdle = () => this.#resolveWhenSent(resolve);
      if (this.inFlight === 0) this.#resolveWhenSent(resolve);
    });
    return this.#drained;
  }

  closeSwitched(): void {
    this.#core.closeSwitched();
  }

  close(): void {
    for (const listener of this.#listeners) listener.close();
    this.#listeners.clear();
    this.#core.upgradeAnchor?.close();
    this.#core.watch.stop();
  }

  /** Opens each listening socket anew before it closes the old one: the largest message is fixed when that is made. */
  #renewListeners(): void {
    for (const listener of [...this.#listeners].filter(({ open }) => open)) {
      this.#replace(listener, new UwsListener(this.#parts, listener.address, listener.tls));
      listener.unlisten();
    }
  }

  /**
   * Certificates cannot be replaced in a listener, but a listener can. The former one closes as gently as at a reload.
   * @returns what puts the other certificate in force
   * @throws Error when it cannot be used
   */
  #prepareSuccessor(address: string, tls: UwsTlsOptions): () => void {
    const successor = new UwsListener(this.#parts, address, tls);
    return () => {
      const former = [...this.#listeners].filter((one) => one.address === address && one.tls !== undefined && one.open);
      const [listener] = former;
      if (listener === undefined) return;
      this.#replace(listener, successor);
      for (const one of former) void inQuietMoment(() => one.unlisten());
      this.#forgetLeft();
    };
  }

  #replace({ address, host, port }: UwsListener, successor: UwsListener): void {
    successor.listen({ address, host, port });
    this.#listeners.add(successor);
  }

  /** Listeners of former configurations stay for as long as somebody is connected through them. */
  #forgetLeft(): void {
    for (const listener of this.#listeners) {
      if (!listener.open && listener.connections === 0) this.#listeners.delete(listener);
    }
  }

  /** Resolves unless something is in flight, once the tails of responses to slow clients can have left. */
  #resolveWhenSent(resolve: () => void): void {
    if (this.inFlight > 0) return;
    if (this.connections === 0 || performance.now() - this.#core.pressureEndedAt > tailMs) resolve();
    else setTimeout(() => this.#resolveWhenSent(resolve), tailCheckMs);
  }
}
