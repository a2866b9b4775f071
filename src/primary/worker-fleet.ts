import type { CacheReport } from '../cache/store/store-messages.ts';
import type { CapacityDemand, ToPrimary, ToWorker, ZoneCounts, ZoneHolds } from '../ipc/message.ts';
import type { Logger } from '../log/logger.ts';
import type { ForkWorker } from './fork-worker.ts';
import { deathWindowMs, fatalDeaths, type RestartPolicy } from './restart-policy.ts';
import {
  type CacheMessage,
  type SlotEvents,
  type SlotTimeouts,
  type StandingOrders,
  slotTimeouts,
  type Target,
  type WorkerDeath,
  WorkerSlot,
} from './worker-slot.ts';

/**
 * How a configuration was taken: by every worker, or by none. `refused`: a worker says that it cannot be served, such as
 * an address that cannot be opened, or that no engine loads; `failed`: a worker died or was too slow; `stopped`: a shutdown
 * came first.
 */
export type TransitionResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly why: 'refused' | 'failed' | 'stopped'; readonly reason: string };

/** What the fleet tells the primary. */
export interface FleetEvents {
  reported(slot: WorkerSlot, report: Extract<ToPrimary, { type: 'metrics' }>, workerKey: number): void;
  said(slot: WorkerSlot, hello: Extract<ToPrimary, { type: 'hello' }>, workerKey: number): void;
  /** A worker needs `maxConnections` of a server, or gives some back. */
  demanded?(slot: WorkerSlot, demands: readonly CapacityDemand[], workerKey: number): void;
  /** A worker obeys orders to purge, wants something purged, or explains what it was asked. */
  cacheSaid?(slot: WorkerSlot, message: CacheMessage): void;
  /** A worker tells the keeper of the cache's folders something. */
  kept?(slot: WorkerSlot, reports: readonly CacheReport[], workerKey: number): void;
  /** A worker tells what it holds of limits of things at a time. */
  held?(slot: WorkerSlot, zones: readonly ZoneHolds[], workerKey: number): void;
  /** A worker tells what it counted for limits of rates. */
  counted?(slot: WorkerSlot, zones: readonly ZoneCounts[], workerKey: number): void;
  /** A worker answers the challenges of that announcement. */
  challengesTaken?(slot: WorkerSlot, id: number, workerKey: number): void;
  /** A worker is gone, expected or not. */
  died(slot: WorkerSlot, death: WorkerDeath): void;
  /** It was replaced: another process was forked. */
  restarted(slot: WorkerSlot): void;
  /** A configuration came into force in a worker, also in one that just started. */
  configured?(slot: WorkerSlot): void;
  /** The number of serving workers may have changed. */
  changed(): void;
  /** Workers die again and again; no further one is started. */
  gaveUp(explanation: string): void;
}

export interface FleetOptions {
  readonly workers: number;
  readonly forkWorker: ForkWorker;
  readonly restartPolicy: RestartPolicy;
  readonly events: FleetEvents;
  readonly logger: Logger;
  readonly timeouts?: SlotTimeouts;
}

/**
 * How the replacement of one worker ended. `cut`: requests that the predecessor had no time for. Without success the
 * predecessor serves on.
 */
export type ReplacementResult =
  | { readonly ok: true; readonly cut: number }
  | { readonly ok: false; readonly reason: string };

/** A worker on its way into the place of another. */
interface Succession {
  readonly predecessor: WorkerSlot;
  readonly successor: WorkerSlot;
  /** Longest time that the predecessor has to finish, milliseconds. */
  readonly timeoutMs: number;
  readonly settle: (result: ReplacementResult) => void;
}

interface Transition {
  readonly target: Target;
  readonly former: Target | undefined;
  readonly settle: (result: TransitionResult) => void;
  readonly timer: NodeJS.Timeout;
}

/** Longest time in which all workers must take a configuration: at start, some restarts included. */
const transitionMs = 60_000;
/** What a drain may take beyond the workers' own time, for the last logs and reports. */
const drainGraceMs = 2_000;

/** The workers: as many as configured, each replaced when it dies, all on the same configuration. */
export class WorkerFleet {
  /** By number, the worker of each place that takes new connections. The array itself stays; what is in it changes. */
  readonly slots: WorkerSlot[];
  /** Replaced or not wanted any more: they finish what they have. */
  readonly retiring = new Set<WorkerSlot>();
  /** What a worker is told with its configuration. */
  standingOrders: () => StandingOrders = () => ({ serverStates: [], cachePurges: [] });
  private readonly options: FleetOptions;
  private readonly slotEvents: SlotEvents;
  private readonly retired = new Map<WorkerSlot, (cut: number) => void>();
  private succession: Succession | undefined;
  private readonly restartTimers = new Set<NodeJS.Timeout>();
  private target: Target | undefined;
  private transition: Transition | undefined;
  private nextKey = 0;
  private stopping = false;
  private drained: (() => void) | undefined;
  private cut = 0;

  constructor(options: FleetOptions) {
    this.options = options;
    this.slotEvents = {
      configured: (slot) => this.configured(slot),
      refused: (slot, generation, error) => this.refused(slot, generation, error),
      reported: (slot, report, workerKey) => options.events.reported(slot, report, workerKey),
      demanded: (slot, demands, workerKey) => options.events.demanded?.(slot, demands, workerKey),
      cacheSaid: (slot, message) => options.events.cacheSaid?.(slot, message),
      kept: (slot, reports, workerKey) => options.events.kept?.(slot, reports, workerKey),
      held: (slot, zones, workerKey) => options.events.held?.(slot, zones, workerKey),
      counted: (slot, zones, workerKey) => options.events.counted?.(slot, zones, workerKey),
      challengesTaken: (slot, id, workerKey) => options.events.challengesTaken?.(slot, id, workerKey),
      said: (slot, hello, workerKey) => options.events.said(slot, hello, workerKey),
      died: (slot, death) => this.died(slot, death),
      lost: (slot, type, error) =>
        options.logger.debug('a message to a worker was lost', { slot: slot.number, type, error }),
    };
    this.slots = Array.from({ length: options.workers }, (_, number) => this.newSlot(number));
  }

  get serving(): number {
    return this.slots.filter((slot) => slot.state === 'serving').length;
  }

  /** Every worker there is: those that serve, the one that comes and those that go. */
  get workers(): WorkerSlot[] {
    const coming = this.succession === undefined ? [] : [this.succession.successor];
    return [...this.slots, ...coming, ...this.retiring];
  }

  /** Whether every worker serves. */
  get complete(): boolean {
    return this.serving === this.slots.length;
  }

  /** Forks all workers at once; what they are to serve is said by `apply`, which need not wait for them. */
  start(): void {
    for (const slot of this.slots) this.startSlot(slot);
  }

  /**
   * Brings every worker to that configuration; when one cannot take it, all go back to the former one.
   * One at a time: the caller waits for the result before the next.
   */
  apply(target: Target): Promise<TransitionResult> {
    if (this.stopping) return Promise.resolve({ ok: false, why: 'stopped', reason: 'stopped before' });
    return new Promise((resolve) => {
      const timer = setTimeout(
        () => this.fail('failed', 'not every worker took the configuration in time'),
        transitionMs,
      );
      const settle = (result: TransitionResult): void => {
        clearTimeout(timer);
        this.transition = undefined;
        resolve(result);
      };
      this.transition = { target, former: this.target, settle, timer };
      this.aim(target);
      this.settleWhenDone();
    });
  }

  /** To every worker that has a process. @returns the slots that it went to */
  broadcast(message: ToWorker): WorkerSlot[] {
    return this.workers.filter((slot) => slot.state !== 'dead' && slot.send(message));
  }

  /**
   * Puts another worker into the place of one that serves: the successor listens before the predecessor stops, and the
   * predecessor stays until what it has is finished and its idle connections are gone, at most `timeoutMs`. One at a time.
   * @returns when the predecessor is gone, or the successor has failed
   */
  replaceWorker(number: number, timeoutMs: number): Promise<ReplacementResult> {
    const predecessor = this.slots[number];
    if (this.stopping) return Promise.resolve({ ok: false, reason: 'stopping' });
    if (this.succession !== undefined)
      return Promise.resolve({ ok: false, reason: 'another worker is being replaced' });
    if (predecessor === undefined) return Promise.resolve({ ok: false, reason: `there is no worker ${number}` });
    // One that is starting anew at this moment is as fresh as a successor would be.
    if (predecessor.state !== 'serving') return Promise.resolve({ ok: true, cut: 0 });
    return new Promise((settle) => {
      const successor = this.newSlot(number);
      successor.starts = predecessor.starts;
      this.succession = { predecessor, successor, timeoutMs, settle };
      this.startSlot(successor);
    });
  }

  /**
   * Starts workers or retires the last ones, until there are so many.
   * @param timeoutMs longest time that those that go have to finish
   */
  resize(workers: number, timeoutMs: number): void {
    if (this.stopping) return;
    while (this.slots.length < workers) {
      const slot = this.newSlot(this.slots.length);
      this.slots.push(slot);
      this.startSlot(slot);
    }
    for (const slot of this.slots.splice(workers)) if (slot.state !== 'dead') void this.retire(slot, timeoutMs);
    this.options.events.changed();
    this.settleWhenDone();
  }

  /**
   * Stops all workers: they finish what is in flight, at most that long. Stuck ones are killed.
   * @returns how many requests were cut, when the last worker is gone
   */
  drain(timeoutMs: number): Promise<number> {
    this.stop();
    for (const slot of this.workers) slot.drain(timeoutMs);
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.kill('did not stop in time'), timeoutMs + drainGraceMs);
      this.drained = () => {
        clearTimeout(timer);
        resolve(this.cut);
      };
      this.noteDrained();
    });
  }

  /** Ends all workers at once. */
  kill(reason: string): void {
    this.stop();
    for (const slot of this.workers) slot.kill(reason);
  }

  /** No further worker is started. */
  private stop(): void {
    this.stopping = true;
    for (const timer of this.restartTimers) clearTimeout(timer);
    this.restartTimers.clear();
    this.transition?.settle({ ok: false, why: 'stopped', reason: 'stopped meanwhile' });
    if (this.succession !== undefined) {
      const { successor, settle } = this.succession;
      this.succession = undefined;
      this.retiring.add(successor);
      settle({ ok: false, reason: 'stopped meanwhile' });
    }
  }

  private newSlot(number: number): WorkerSlot {
    const { forkWorker, timeouts = slotTimeouts } = this.options;
    return new WorkerSlot(number, forkWorker, this.slotEvents, timeouts, () => this.standingOrders());
  }

  private startSlot(slot: WorkerSlot): void {
    slot.start(this.nextKey++);
    if (this.target !== undefined) slot.aim(this.target);
  }

  private aim(target: Target): void {
    this.target = target;
    for (const slot of this.workers) slot.aim(target);
  }

  private configured(slot: WorkerSlot): void {
    const { succession } = this;
    if (slot === succession?.successor && slot.generation === this.target?.generation) this.promote(succession);
    this.options.events.configured?.(slot);
    this.options.events.changed();
    this.settleWhenDone();
  }

  /** The successor listens: it takes the place, and the predecessor finishes. */
  private promote({ predecessor, successor, timeoutMs, settle }: Succession): void {
    this.succession = undefined;
    this.slots[successor.number] = successor;
    void this.retire(predecessor, timeoutMs).then((cut) => settle({ ok: true, cut }));
  }

  /** @returns how many requests were cut, when the worker is gone */
  private retire(slot: WorkerSlot, timeoutMs: number): Promise<number> {
    this.retiring.add(slot);
    return new Promise((resolve) => {
      const timer = setTimeout(() => slot.kill('did not stop in time'), timeoutMs + drainGraceMs);
      this.retired.set(slot, (cut) => {
        clearTimeout(timer);
        resolve(cut);
      });
      slot.drain(timeoutMs, { awaitIdle: true });
    });
  }

  /** The successor cannot serve: the predecessor stays. */
  private abandon({ successor, settle }: Succession, reason: string): void {
    this.succession = undefined;
    if (successor.state !== 'dead') {
      this.retiring.add(successor);
      successor.kill('could not take over');
    }
    settle({ ok: false, reason });
  }

  private settleWhenDone(): void {
    const { transition } = this;
    if (transition === undefined || !this.complete) return;
    if (this.slots.every((slot) => slot.generation === transition.target.generation)) transition.settle({ ok: true });
  }

  private refused(slot: WorkerSlot, generation: number, error: string): void {
    const { transition } = this;
    if (transition !== undefined && generation === transition.target.generation) return this.fail('refused', error);
    if (slot === this.succession?.successor) return this.abandon(this.succession, error);
    if (this.retiring.has(slot)) return;
    // It can serve neither this nor, perhaps, anything: it starts anew, and too many of these end the whole.
    if (generation === this.target?.generation) {
      this.options.logger.error('a worker refused the configuration in force', { slot: slot.number, error });
      slot.kill('refused the configuration in force');
    }
  }

  /** The transition fails: what is in force stays in force everywhere. */
  private fail(why: 'refused' | 'failed', reason: string): void {
    const { transition } = this;
    if (transition === undefined) return;
    if (transition.former !== undefined) this.aim(transition.former);
    transition.settle({ ok: false, why, reason });
  }

  private died(slot: WorkerSlot, death: WorkerDeath): void {
    const { events } = this.options;
    events.died(slot, death);
    events.changed();
    const wasRetiring = this.retiring.delete(slot);
    this.retired.get(slot)?.(death.inFlight);
    this.retired.delete(slot);
    if (this.stopping) {
      this.cut += death.inFlight;
      return this.noteDrained();
    }
    if (wasRetiring) return;
    const { transition } = this;
    if (transition?.former !== undefined && death.taking === transition.target.generation) {
      this.fail('failed', `worker ${slot.number} ${death.cause} while it took the configuration`);
    }
    if (!this.passOver(slot, death)) this.replace(slot, death);
  }

  /** A death in the middle of a succession. @returns whether nothing else has to be started for it */
  private passOver(slot: WorkerSlot, death: WorkerDeath): boolean {
    const { succession } = this;
    if (succession === undefined) return false;
    const what = `worker ${slot.number} (pid ${death.pid ?? 'none'}) ${death.cause}`;
    if (slot === succession.successor) {
      this.abandon(succession, what);
      return true;
    }
    if (slot !== succession.predecessor) return false;
    this.succession = undefined;
    this.slots[slot.number] = succession.successor;
    this.options.logger.error(`${what}; its successor starts already`, {
      slot: slot.number,
      requestsInFlight: death.inFlight,
    });
    succession.settle({ ok: true, cut: death.inFlight });
    return true;
  }

  private replace(slot: WorkerSlot, death: WorkerDeath): void {
    const { events, logger, restartPolicy } = this.options;
    const decision = restartPolicy.died();
    const what = `worker ${slot.number} (pid ${death.pid ?? 'none'}) ${death.cause}`;
    if (decision === 'give-up') {
      this.stop();
      const often = `${fatalDeaths} workers died within ${deathWindowMs / 1000} seconds`;
      return events.gaveUp(`${often}, the last: ${what}. Stopping, because replacing them does not help`);
    }
    logger.error(`${what}; replaced ${decision.restartInMs === 0 ? 'at once' : `in ${decision.restartInMs} ms`}`, {
      slot: slot.number,
      requestsInFlight: death.inFlight,
    });
    // Never from within the event: a fork that fails at once would recurse.
    const timer = setTimeout(() => {
      this.restartTimers.delete(timer);
      // Fewer workers may be wanted by now.
      if (this.slots[slot.number] !== slot) return;
      this.startSlot(slot);
      events.restarted(slot);
    }, decision.restartInMs);
    this.restartTimers.add(timer);
  }

  private noteDrained(): void {
    if (this.workers.every((slot) => slot.state === 'dead')) this.drained?.();
  }
}
