import type { Outcome } from '../balancer/admission.ts';
import { SlidingWindow } from '../balancer/sliding-window.ts';
import type { HealthObserver } from './health-observer.ts';
import { type Verdict, verdictOf } from './outcome-verdict.ts';
import type { StatusRange } from './status-set.ts';

/** `passiveHealth` of an upstream, compiled. Times in milliseconds. */
export interface OutlierLimits {
  readonly consecutiveFailures: number;
  /** Percent. */
  readonly errorRate: number;
  /** Requests in the window below which the error rate says nothing. */
  readonly minRequests: number;
  readonly window: number;
  /** Length of the first ejection; each further one is twice as long. */
  readonly ejectionTime: number;
  readonly maxEjectionTime: number;
  /** Percent of the servers that may be ejected at a time. */
  readonly maxEjected: number;
  /** Statuses that count as failures. */
  readonly status: readonly StatusRange[];
}

/** What the detector needs of a server. Times are of `performance.now()`. */
export interface EjectableServer {
  readonly availability: { isEjected(now: number): boolean };
  /** Whether it would be chosen for a request: not down, not backed off, not taken out by an operator, not ejected. */
  mayTake(now: number): boolean;
  /** Keeps requests away from it until then; a time that has passed takes it back. */
  ejectUntil(time: number, reason?: string): void;
}

/** Why a server was ejected, as metrics name it. */
export type EjectionCause = 'consecutive_failures' | 'error_rate';

/** An ejection, for log and metrics. */
export interface Ejection {
  readonly cause: EjectionCause;
  /** In words. */
  readonly reason: string;
  readonly durationMs: number;
}

export interface OutlierOptions<S> {
  /** The servers that there are now. */
  readonly servers: () => readonly S[];
  readonly ejected: (server: S, ejection: Ejection) => void;
}

interface ServerRecord {
  consecutive: number;
  readonly window: SlidingWindow;
  /** Ejections that still lengthen the next one. */
  ejections: number;
  /** When the latest one ended, or was to end. */
  returnedAt: number;
}

/**
 * Finds servers that take connections and fail all the same, from what requests meet, and keeps further requests away
 * from them for a while. Never more than `maxEjected` percent of the servers, and never the last one that takes requests:
 * a failing server is better than none.
 */
export class OutlierDetector<S extends EjectableServer> implements HealthObserver<S> {
  private readonly options: OutlierOptions<S>;
  private limits: OutlierLimits | false;
  private records = new WeakMap<S, ServerRecord>();

  constructor(limits: OutlierLimits | false, options: OutlierOptions<S>) {
    this.limits = limits;
    this.options = options;
  }

  /** Takes other limits, after a reload. What was counted so far is forgotten; who is ejected stays so, unless it is switched off. */
  configure(limits: OutlierLimits | false): void {
    if (JSON.stringify(limits) === JSON.stringify(this.limits)) return;
    this.limits = limits;
    this.records = new WeakMap();
    if (limits !== false) return;
    for (const server of this.options.servers()) server.ejectUntil(0);
  }

  observe(server: S, outcome: Outcome, now: number): void {
    const { limits } = this;
    // What was in flight when it was ejected says nothing new.
    if (limits === false || server.availability.isEjected(now)) return;
    const verdict = verdictOf(outcome, limits.status);
    if (verdict === undefined) return;
    const record = this.recordOf(server, limits);
    this.count(record, verdict, now);
    if (verdict === 'success') return;
    const found = judge(record, limits, now);
    if (found !== undefined && this.mayEject(server, limits, now)) this.eject(server, record, limits, now, found);
  }

  private recordOf(server: S, limits: OutlierLimits): ServerRecord {
    let record = this.records.get(server);
    if (record === undefined) {
      record = { consecutive: 0, window: new SlidingWindow(limits.window), ejections: 0, returnedAt: 0 };
      this.records.set(server, record);
    }
    return record;
  }

  private count(record: ServerRecord, verdict: Verdict, now: number): void {
    const failed = verdict === 'failure';
    record.window.add(now, failed);
    record.consecutive = failed ? record.consecutive + 1 : 0;
  }

  private mayEject(server: S, limits: OutlierLimits, now: number): boolean {
    const all = this.options.servers();
    let ejected = 0;
    let others = 0;
    for (const other of all) {
      if (other === server) continue;
      if (other.availability.isEjected(now)) ejected++;
      else if (other.mayTake(now)) others++;
    }
    return others > 0 && ejected + 1 <= Math.floor((all.length * limits.maxEjected) / 100);
  }

  private eject(
    server: S,
    record: ServerRecord,
    limits: OutlierLimits,
    now: number,
    found: Pick<Ejection, 'cause' | 'reason'>,
  ): void {
    const { ejectionTime, maxEjectionTime } = limits;
    // One ejection is forgotten for each longest ejection time spent in service.
    const forgotten = Math.floor(Math.max(0, now - record.returnedAt) / maxEjectionTime);
    const before = Math.max(0, record.ejections - forgotten);
    const durationMs = Math.min(maxEjectionTime, ejectionTime * 2 ** Math.min(before, 31));
    record.ejections = before + 1;
    record.consecutive = 0;
    record.window.clear();
    record.returnedAt = now + durationMs;
    server.ejectUntil(record.returnedAt, `ejected: ${found.reason}`);
    this.options.ejected(server, { ...found, durationMs });
  }
}

function judge(
  record: ServerRecord,
  limits: OutlierLimits,
  now: number,
): Pick<Ejection, 'cause' | 'reason'> | undefined {
  if (record.consecutive >= limits.consecutiveFailures) {
    return { cause: 'consecutive_failures', reason: `${record.consecutive} failures in a row` };
  }
  const { total, failed } = record.window.count(now);
  if (total < limits.minRequests || failed * 100 < limits.errorRate * total) return undefined;
  return { cause: 'error_rate', reason: `${failed} of ${total} requests failed` };
}
