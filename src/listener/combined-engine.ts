import type { ListenAddress } from '../config/config.ts';
import type { TlsTerminator } from '../tls/tls-terminator.ts';
import type { Engine, EngineFactory, EngineTimeouts } from './engine.ts';
import type { ExchangeHandler } from './exchange.ts';
import { listenerIdentity } from './listener-identity.ts';

type EngineName = 'uws' | 'node';

/** How each engine is made. `uws` throws where no build of it runs. */
export type EngineFactories = Readonly<Record<EngineName, EngineFactory>>;

/** Makes an engine that serves each address with the engine that it asks for; one is made when an address first needs it. */
export function combinedEngines(factories: EngineFactories): EngineFactory {
  return (handler, timeouts) => new CombinedEngine(factories, handler, timeouts);
}

class CombinedEngine implements Engine {
  readonly #factories: EngineFactories;
  readonly #handler: ExchangeHandler;
  readonly #engines = new Map<EngineName, Engine>();
  /** Which engine serves an address, by how that is configured. */
  readonly #served = new Map<string, Engine>();
  #timeouts: EngineTimeouts;

  constructor(factories: EngineFactories, handler: ExchangeHandler, timeouts: EngineTimeouts) {
    this.#factories = factories;
    this.#handler = handler;
    this.#timeouts = timeouts;
  }

  get name(): string {
    return [...this.#engines.values()].map(({ name }) => name).join(', ');
  }

  get inFlight(): number {
    return this.#sum((engine) => engine.inFlight);
  }

  get switched(): number {
    return this.#sum((engine) => engine.switched);
  }

  get connections(): number {
    return this.#sum((engine) => engine.connections);
  }

  async listen(address: ListenAddress, tls?: TlsTerminator): Promise<number> {
    const engine = this.#engineFor(address);
    const port = await engine.listen(address, tls);
    this.#served.set(listenerIdentity(address), engine);
    return port;
  }

  unlisten(address: ListenAddress): void {
    this.#served.get(listenerIdentity(address))?.unlisten(address);
    this.#served.delete(listenerIdentity(address));
  }

  configure(timeouts: EngineTimeouts): void {
    this.#timeouts = timeouts;
    for (const engine of this.#engines.values()) engine.configure(timeouts);
  }

  async drain(): Promise<void> {
    await Promise.all([...this.#engines.values()].map((engine) => engine.drain()));
  }

  closeSwitched(): void {
    for (const engine of this.#engines.values()) engine.closeSwitched();
  }

  close(): void {
    for (const engine of this.#engines.values()) engine.close();
  }

  #engineFor({ engine = 'auto' }: ListenAddress): Engine {
    if (engine !== 'auto') return this.#engine(engine);
    try {
      return this.#engine('uws');
    } catch {
      // Where no build of uWebSockets.js runs, the other engine does.
      return this.#engine('node');
    }
  }

  #engine(name: EngineName): Engine {
    let engine = this.#engines.get(name);
    if (engine === undefined) {
      engine = this.#factories[name](this.#handler, this.#timeouts);
      this.#engines.set(name, engine);
    }
    return engine;
  }

  #sum(count: (engine: Engine) => number): number {
    let sum = 0;
    for (const engine of this.#engines.values()) sum += count(engine);
    return sum;
  }
}
