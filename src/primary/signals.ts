/** What the operator asks for by a signal. */
export type Order = 'stop' | 'reload' | 'reopen-logs';

const orders = {
  SIGTERM: 'stop',
  SIGINT: 'stop',
  SIGHUP: 'reload',
  SIGUSR2: 'reopen-logs',
} as const satisfies Partial<Record<NodeJS.Signals, Order>>;

export type OrderSignal = keyof typeof orders;

const orderSignals: readonly OrderSignal[] = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2'];

export interface SignalSource {
  on(signal: OrderSignal, listener: () => void): unknown;
  off(signal: OrderSignal, listener: () => void): unknown;
}

/**
 * Turns signals into orders. Made before anything slow is done, and explicitly for each signal: process 1 of a container
 * ignores whatever it has no handler for. Signals that come before `listen` are kept.
 */
export class Signals {
  private readonly source: SignalSource;
  private readonly handlers = new Map<OrderSignal, () => void>();
  private early: OrderSignal[] = [];
  private listener: ((order: Order, signal: OrderSignal) => void) | undefined;

  constructor(source: SignalSource) {
    this.source = source;
    for (const signal of orderSignals) {
      const handler = (): void => this.take(signal);
      this.handlers.set(signal, handler);
      source.on(signal, handler);
    }
  }

  /** Orders go there from now on, those given earlier first. */
  listen(listener: (order: Order, signal: OrderSignal) => void): void {
    this.listener = listener;
    const { early } = this;
    this.early = [];
    for (const signal of early) listener(orders[signal], signal);
  }

  close(): void {
    for (const [signal, handler] of this.handlers) this.source.off(signal, handler);
    this.handlers.clear();
  }

  private take(signal: OrderSignal): void {
    if (this.listener === undefined) this.early.push(signal);
    else this.listener(orders[signal], signal);
  }
}
