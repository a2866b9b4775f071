import type { PurgeOrder } from '../cache/purge.ts';
import type { CacheReport } from '../cache/store/store-messages.ts';
import type { Config } from '../config/config.ts';
import { Channel } from '../ipc/channel.ts';
import type {
  CapacityDemand,
  ServerStateOrder,
  ToPrimary,
  ToWorker,
  WorkerState,
  ZoneCounts,
  ZoneHolds,
} from '../ipc/message.ts';
import type { ForkWorker, WorkerProcess } from './fork-worker.ts';

/** A configuration with its number. */
export interface Target {
  readonly generation: number;
  readonly config: Config;
}

/**
 * - `starting`: forked, serves nothing yet
 * - `serving`: a configuration is in force and every listener is open
 * - `draining`: told to stop
 * - `dead`: no process
 */
export type SlotState = 'starting' | 'serving' | 'draining' | 'dead';

/** What a slot tells its owner, never from within a call of the slot's own methods. */
export interface SlotEvents {
  /** A configuration came into force; `generation` says which. */
  configured(slot: WorkerSlot): void;
  /** The worker goes on with what it had, if anything. */
  refused(slot: WorkerSlot, generation: number, error: string): void;
  reported(slot: WorkerSlot, report: Extract<ToPrimary, { type: 'metrics' }>, workerKey: number): void;
  /** It needs `maxConnections` of a server, or gives some back. */
  demanded?(slot: WorkerSlot, demands: readonly CapacityDemand[], workerKey: number): void;
  /** It obeys orders to purge, wants something purged, or explains what it was asked. */
  cacheSaid?(slot: WorkerSlot, message: CacheMessage): void;
  /** It tells the keeper of the cache's folders something. */
  kept?(slot: WorkerSlot, reports: readonly CacheReport[], workerKey: number): void;
  /** What it holds of limits of things at a time. */
  held?(slot: WorkerSlot, zones: readonly ZoneHolds[], workerKey: number): void;
  /** What it counted for limits of rates. */
  counted?(slot: WorkerSlot, zones: readonly ZoneCounts[], workerKey: number): void;
  /** It answers the challenges of that announcement. */
  challengesTaken?(slot: WorkerSlot, id: number, workerKey: number): void;
  said(slot: WorkerSlot, hello: Extract<ToPrimary, { type: 'hello' }>, workerKey: number): void;
  died(slot: WorkerSlot, death: WorkerDeath): void;
  lost(slot: WorkerSlot, type: string, error: Error): void;
}

/** What workers say about purging, and what they explain. */
export type CacheMessage = Extract<
  ToPrimary,
  { type: 'cache-purged' | 'cache-purge-wanted' | 'cache-explained' | 'cache-lock' }
>;

export interface WorkerDeath {
  readonly pid: number | undefined;
  readonly workerKey: number;
  /** In words: `was killed by SIGKILL`, `ended with code 1`. */
  readonly cause: string;
  /** The configuration that it was taking in at that moment. */
  readonly taking: number | undefined;
  /** It had been told to stop. */
  readonly expected: boolean;
  /** Requests that ended with it, as last known. */
  readonly inFlight: number;
}

export interface SlotTimeouts {
  /** Longest time from the fork, or from sending a configuration, to the answer; milliseconds. */
  readonly answerMs: number;
  /** A draining worker that is silent for this long is stuck. Regular reports come each second. */
  readonly silenceMs: number;
}

export const slotTimeouts: SlotTimeouts = { answerMs: 10_000, silenceMs: 5_000 };
/** A worker that lost its channel stops by itself; after this long it is made to. */
const disconnectedMs = 15_000;
/** Longest wait for the end of the pipe after that of the process. */
const lastMessagesMs = 200;

/** What was ordered while the program runs: a worker is told with its configuration, so that it knows before it listens. */
export interface StandingOrders {
  readonly serverStates: readonly ServerStateOrder[];
  readonly cachePurges: readonly PurgeOrder[];
}

/** One place for a worker: the process in it now, what it serves, and what it should serve. Survives its processes. */
export class WorkerSlot {
  readonly number: number;
  state: SlotState = 'dead';
  /** Configuration in force in the worker; 0 for none yet. */
  generation = 0;
  /** As of the last report. */
  workerState: WorkerState | undefined;
  /** When that came, milliseconds of `Date.now()`. */
  reportedAt: number | undefined;
  /** Number of the process in it; no worker before had it. */
  workerKey = 0;
  /** Processes started in this slot. */
  starts = 0;
  private readonly forkWorker: ForkWorker;
  private readonly events: SlotEvents;
  private readonly timeouts: SlotTimeouts;
  private readonly orders: () => StandingOrders;
  private process: WorkerProcess | undefined;
  private channel: Channel<ToWorker, ToPrimary> | undefined;
  private target: Target | undefined;
  private said = false;
  /** Generation sent and not answered. */
  private taking: number | undefined;
  private cut: number | undefined;
  private timer: NodeJS.Timeout | undefined;
  private killReason: string | undefined;

  /** @param orders what goes with a configuration, as of that moment */
  constructor(
    number: number,
    forkWorker: ForkWorker,
    events: SlotEvents,
    timeouts: SlotTimeouts = slotTimeouts,
    orders: () => StandingOrders = () => ({ serverStates: [], cachePurges: [] }),
  ) {
    this.number = number;
    this.forkWorker = forkWorker;
    this.events = events;
    this.timeouts = timeouts;
    this.orders = orders;
  }

  get pid(): number | undefined {
    return this.process?.pid;
  }

  /** @param workerKey a number that no worker had before */
  start(workerKey: number): void {
    this.starts += 1;
    this.state = 'starting';
    this.workerKey = workerKey;
    this.generation = 0;
    this.said = false;
    this.taking = undefined;
    this.cut = undefined;
    this.killReason = undefined;
    this.workerState = undefined;
    this.reportedAt = undefined;
    let child: WorkerProcess;
    try {
      child = this.forkWorker(this.number);
    } catch (error) {
      const cause = `could not be started: ${error instanceof Error ? error.message : String(error)}`;
      setImmediate(() => this.ended(undefined, cause));
      return;
    }
    this.process = child;
    this.channel = new Channel(child, (type, error) => this.events.lost(this, type, error));
    this.channel.receive((message) => {
      if (this.process === child) this.receive(message);
    });
    child.on('exit', (code, signal) => this.exited(child, describeExit(code, signal)));
    child.on('error', (error) => {
      // Other errors (a signal that could not be sent) say nothing about its life; without a process no exit follows.
      if (child.pid === undefined) this.ended(child, `could not be started: ${error.message}`);
    });
    child.on('disconnect', () => {
      if (this.process === child && this.state !== 'draining') this.killAfter(disconnectedMs, 'lost its channel');
    });
    this.killAfter(this.timeouts.answerMs, 'did not start in time');
  }

  /** What the worker should serve. It is told as soon as it can take it: one configuration after the other. */
  aim(target: Target): void {
    this.target = target;
    if (!this.said || this.taking !== undefined || this.generation === target.generation) return;
    if (this.state !== 'starting' && this.state !== 'serving') return;
    this.taking = target.generation;
    this.killAfter(this.timeouts.answerMs, 'did not take its configuration in time');
    const { generation, config } = target;
    this.send({ type: 'configure', generation, config, ...this.orders() });
  }

  /** @returns false when there is nobody to take it */
  send(message: ToWorker): boolean {
    return this.channel?.send(message) ?? false;
  }

  /**
   * Lets it finish what it has. Its end comes as `died`.
   * @param awaitIdle it also waits for idle connections to go, so that no request on one of them is lost
   */
  drain(timeoutMs: number, { awaitIdle = false } = {}): void {
    if (this.state === 'dead') return;
    this.state = 'draining';
    // Until it has said hello it hears nothing, and there is nothing that it could finish.
    if (!this.said) return this.kill('was not needed any more');
    this.heard();
    if (!this.send({ type: 'drain', timeoutMs, awaitIdle })) this.kill('lost its channel');
  }

  /** Ends the process at once. Its end comes as `died`. */
  kill(reason: string): void {
    this.killReason ??= reason;
    this.process?.kill('SIGKILL');
  }

  private receive(message: ToPrimary): void {
    if (this.state === 'draining') this.heard();
    switch (message.type) {
      case 'hello':
        this.said = true;
        this.events.said(this, message, this.workerKey);
        if (this.target !== undefined) this.aim(this.target);
        return;
      case 'configured':
        return this.configured(message.generation);
      case 'refused':
        this.answered();
        return this.events.refused(this, message.generation, message.error);
      case 'metrics':
        this.workerState = message.state;
        this.reportedAt = Date.now();
        return this.events.reported(this, message, this.workerKey);
      case 'capacity':
        return this.events.demanded?.(this, message.demands, this.workerKey);
      case 'cache-store':
        return this.events.kept?.(this, message.reports, this.workerKey);
      case 'cache-purged':
      case 'cache-explained':
      case 'cache-purge-wanted':
      case 'cache-lock':
        return this.events.cacheSaid?.(this, message);
      case 'holds':
        return this.events.held?.(this, message.zones, this.workerKey);
      case 'rates':
        return this.events.counted?.(this, message.zones, this.workerKey);
      case 'acme-challenges':
        return this.events.challengesTaken?.(this, message.id, this.workerKey);
      case 'drained':
        this.cut = message.cut ?? 0;
        return;
    }
  }

  private configured(generation: number): void {
    this.answered();
    if (this.state === 'draining') return;
    this.generation = generation;
    this.state = 'serving';
    this.events.configured(this);
    // The aim may have moved while this one was taken in.
    if (this.target !== undefined) this.aim(this.target);
  }

  private answered(): void {
    this.taking = undefined;
    if (this.state !== 'draining') clearTimeout(this.timer);
  }

  private heard(): void {
    this.killAfter(this.timeouts.silenceMs, 'is stuck');
  }

  private killAfter(milliseconds: number, reason: string): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.kill(reason), milliseconds);
  }

  /** Its last messages may still be in the pipe: they are read before it counts as dead. */
  private exited(child: WorkerProcess, cause: string): void {
    const finish = (): void => this.ended(child, cause);
    if (!child.connected) return finish();
    const timer = setTimeout(finish, lastMessagesMs);
    child.on('disconnect', () => {
      clearTimeout(timer);
      finish();
    });
  }

  private ended(child: WorkerProcess | undefined, cause: string): void {
    if (this.state === 'dead' || this.process !== child) return;
    clearTimeout(this.timer);
    const death: WorkerDeath = {
      pid: child?.pid,
      workerKey: this.workerKey,
      cause: this.killReason === undefined ? cause : `${this.killReason} and was killed`,
      taking: this.taking,
      expected: this.state === 'draining',
      inFlight: this.cut ?? this.workerState?.inFlight ?? 0,
    };
    this.state = 'dead';
    this.generation = 0;
    this.taking = undefined;
    this.process = undefined;
    this.channel = undefined;
    this.workerState = undefined;
    this.reportedAt = undefined;
    this.events.died(this, death);
  }
}

function describeExit(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `ended with code ${code}` : `was killed by ${signal}`;
}
