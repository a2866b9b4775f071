import { lookup, resolve4, resolve6 } from 'node:dns';

/** Bounds on how long the addresses of a name are believed, milliseconds. */
const minTtlMs = 1000;
const maxTtlMs = 60_000;
/** For names whose time to live is not known, such as those in /etc/hosts. */
const defaultTtlMs = 10_000;

/**
 * Looks a name up: calls `found` once, and `timeToLive` when that becomes known, before or after, or never.
 * @param timeToLive gets seconds
 */
export type Lookup = (
  host: string,
  found: (error: Error | undefined, addresses: readonly string[]) => void,
  timeToLive: (seconds: number) => void,
) => void;

/**
 * As the system does (/etc/hosts, search domains); the time to live comes from DNS besides, because the system does not
 * tell it.
 */
export const systemLookup: Lookup = (host, found, timeToLive) => {
  lookup(host, { all: true }, (error, addresses) => {
    found(error ?? undefined, error ? [] : addresses.map(({ address }) => address));
  });
  const read = (error: Error | null, records: readonly { ttl: number }[]) => {
    if (!error && records.length > 0) timeToLive(Math.min(...records.map(({ ttl }) => ttl)));
  };
  resolve4(host, { ttl: true }, read);
  resolve6(host, { ttl: true }, read);
};

/**
 * The addresses of one name, looked up anew when their time is over. While that goes on, and while it fails, the former
 * addresses stay: a name server that is down for a while costs nothing.
 */
export class Resolver {
  addresses: readonly string[] = [];
  /** Why the latest look-up failed. */
  error: Error | undefined;
  private readonly host: string;
  private readonly lookup: Lookup;
  private expiresAt = 0;
  private round = 0;
  private running = false;
  private waiting: (() => void)[] = [];

  constructor(host: string, look: Lookup = systemLookup) {
    this.host = host;
    this.lookup = look;
  }

  /** Looks the name up when its time is over and that is not under way. */
  refresh(now: number): void {
    if (this.running || now < this.expiresAt) return;
    this.running = true;
    const round = ++this.round;
    let ttlMs: number | undefined;
    this.lookup(
      this.host,
      (error, addresses) => {
        this.error = error ?? (addresses.length === 0 ? new Error(`${this.host} has no address`) : undefined);
        if (this.error === undefined) this.addresses = addresses;
        this.expiresAt = now + (this.error === undefined ? (ttlMs ?? defaultTtlMs) : minTtlMs);
        this.running = false;
        for (const resolved of this.waiting.splice(0)) resolved();
      },
      (seconds) => {
        ttlMs = Math.min(maxTtlMs, Math.max(minTtlMs, seconds * 1000), ttlMs ?? maxTtlMs);
        if (round === this.round && !this.running && this.error === undefined) this.expiresAt = now + ttlMs;
      },
    );
  }

  /** Lets the addresses expire sooner, because one of them does not answer: the name may point elsewhere by now. */
  doubt(now: number): void {
    this.expiresAt = Math.min(this.expiresAt, now + minTtlMs);
  }

  /** Calls back when the look-up under way has ended. */
  whenResolved(resolved: () => void): void {
    this.waiting.push(resolved);
  }
}
