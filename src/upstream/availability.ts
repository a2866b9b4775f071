/**
 * What the operator wants of a server: `ready` takes requests; `drain` finishes what it has and takes new requests of
 * sessions that are bound to it only; `maintenance` takes none.
 */
export type AdministrativeState = 'ready' | 'drain' | 'maintenance';

/** Longest time that a server is passed over after refused connections, unless `failBackoff` is longer. Milliseconds. */
const maxBackoffMs = 30_000;
/** Least part of its weight that a server has while it starts slowly. */
const leastShare = 0.01;

/** What is known about whether a server takes requests. Times are of `performance.now()`. */
export class Availability {
  /** When a connection was refused last, 0 for never. */
  failedAt = 0;
  /** What is wrong, for /status: the latest reason of a refused connection, a health check or an ejection. */
  reason: string | undefined;
  private backedOffUntil = 0;
  private ejectedUntil = 0;
  private failures = 0;
  private healthy: boolean | undefined;
  private administrative: AdministrativeState = 'ready';
  /** From when on the weight grows after it was away; long ago for a server that always was there. */
  private rampFrom = Number.NEGATIVE_INFINITY;

  get state(): AdministrativeState {
    return this.administrative;
  }

  /** What active checks say; undefined as long as they have said nothing. */
  get health(): boolean | undefined {
    return this.healthy;
  }

  mayTake(now: number): boolean {
    return this.administrative === 'ready' && this.isWell(now);
  }

  mayKeep(now: number): boolean {
    return this.administrative !== 'maintenance' && this.isWell(now);
  }

  isBackedOff(now: number): boolean {
    return now < this.backedOffUntil;
  }

  isEjected(now: number): boolean {
    return now < this.ejectedUntil;
  }

  /** When the server may take requests again as far as time alone decides; in the past when it may now. */
  get returnsAt(): number {
    return Math.max(this.backedOffUntil, this.ejectedUntil);
  }

  /** The part of its weight that the server has, above 0 and at most 1. */
  share(now: number, slowStartMs: number): number {
    const since = now - this.rampFrom;
    return since >= slowStartMs ? 1 : Math.max(leastShare, since / slowStartMs);
  }

  /** Passes the server over for a while. Many requests find it dead at once: they count as one refusal. */
  backOff(now: number, failBackoffMs: number, reason: string): void {
    this.reason = reason;
    this.failedAt = now;
    if (now < this.backedOffUntil) return;
    this.failures = Math.min(this.failures + 1, 31);
    const longest = Math.max(maxBackoffMs, failBackoffMs);
    this.backedOffUntil = now + Math.min(longest, failBackoffMs * 2 ** (this.failures - 1));
    this.rampFrom = Math.max(this.rampFrom, this.backedOffUntil);
  }

  /** A connection has opened: what was refused before does not count any more. */
  connected(now: number): void {
    if (this.failures === 0) return;
    this.failures = 0;
    this.backedOffUntil = 0;
    if (this.ejectedUntil <= now && this.healthy !== false) this.reason = undefined;
    this.rampFrom = Math.min(this.rampFrom, Math.max(now, this.ejectedUntil));
  }

  /** @returns whether the server may take requests now and might not before */
  setHealth(up: boolean, reason: string | undefined, now: number): boolean {
    const before = this.mayTake(now);
    const cameBack = up && this.healthy === false;
    this.healthy = up;
    if (!up) {
      this.reason = reason;
      this.failedAt = now;
    }
    if (!cameBack) return !before && this.mayTake(now);
    // The check has just seen it work: what was held against it before is over.
    this.reason = undefined;
    this.failures = 0;
    this.backedOffUntil = 0;
    this.ejectedUntil = 0;
    this.rampFrom = now;
    return !before && this.mayTake(now);
  }

  /** Passes the server over until then; a time that has passed takes it back at once. */
  ejectUntil(time: number, reason: string | undefined, now: number): void {
    const wasEjected = this.isEjected(now);
    this.ejectedUntil = time;
    if (time > now) {
      this.reason = reason;
      this.failedAt = now;
      this.rampFrom = time;
    } else if (wasEjected) {
      this.rampFrom = now;
    }
  }

  /** @returns whether the server may take requests now and might not before */
  setState(state: AdministrativeState, now: number): boolean {
    if (state === this.administrative) return false;
    const before = this.mayTake(now);
    if (state === 'ready') this.rampFrom = now;
    this.administrative = state;
    return !before && this.mayTake(now);
  }

  /** It is new among servers that are there already: begins slowly. */
  arrived(now: number): void {
    this.rampFrom = now;
  }

  private isWell(now: number): boolean {
    return this.healthy !== false && now >= this.backedOffUntil && now >= this.ejectedUntil;
  }
}
