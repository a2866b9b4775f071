import type { Logger } from '../log/logger.ts';
import { RepeatedLog } from '../log/repeated-log.ts';
import type { RequestContext } from '../request/request-context.ts';
import { PorticoError } from '../response/portico-error.ts';
import type { ConcurrencyZone } from './concurrency-zone.ts';
import { rateFields, retryAfter } from './rate-fields.ts';
import type { RateZone } from './rate-zone.ts';

/** Refusals kept for reuse, by seconds: making one costs more than all the rest, and a flood is when that counts. */
const keptRefusals = 200;
/** How often a zone is logged that refuses again and again, milliseconds. */
const logIntervalMs = 10_000;

/** Refuses by zones and says so in the log; lives as long as the worker. */
export class LimitRefusals {
  readonly #log: RepeatedLog;
  readonly #rate = new WeakMap<object, Map<number, PorticoError>>();
  readonly #concurrency = new WeakMap<object, PorticoError>();

  constructor(logger: Logger) {
    this.#log = new RepeatedLog(logger, logIntervalMs);
  }

  /** @param excessMs how much too early the request is */
  ofRate(zone: RateZone, excessMs: number, context: RequestContext): PorticoError {
    const { config } = zone;
    zone.refused.add(1);
    this.log('rate', zone.name, false, context);
    const seconds = waitSeconds(excessMs);
    let known = this.#rate.get(config);
    if (known === undefined) this.#rate.set(config, (known = new Map()));
    let error = known.get(seconds);
    if (error !== undefined) return error;
    const told = config.fields === 'none' ? '' : rateFields(zone, 0, seconds * 1000);
    const fields = Buffer.from(retryAfter(seconds) + told, 'latin1');
    error = new PorticoError('rate_limited', `over the rate of ${zone.name}`, { fields, status: config.status });
    if (known.size < keptRefusals) known.set(seconds, error);
    return error;
  }

  ofConcurrency(zone: ConcurrencyZone, context: RequestContext): PorticoError {
    const { config } = zone;
    zone.refused.add(1);
    this.log('concurrency', zone.name, false, context);
    let error = this.#concurrency.get(config);
    if (error === undefined) {
      const detail = `${config.limit} requests at a time are under way already (${zone.name})`;
      const fields = Buffer.from(retryAfter(1), 'latin1');
      error = new PorticoError('too_many_at_a_time', detail, { fields, status: config.status });
      this.#concurrency.set(config, error);
    }
    return error;
  }

  /** Keys are not logged: they may be secrets. */
  log(kind: string, zone: string, dryRun: boolean, context: RequestContext): void {
    const what = dryRun ? 'would refuse requests (dryRun)' : 'refuses requests';
    const { client, route } = context;
    const fields = { zone, client: client?.address, site: route?.site, route: route?.name };
    this.#log.warn(`${kind} ${zone} ${dryRun}`, `the ${kind} limit ${zone} ${what}`, fields);
  }
}

/** Whole seconds, from a minute on whole minutes, from an hour on whole hours: never too few, and few different ones. */
function waitSeconds(excessMs: number): number {
  const seconds = Math.max(1, Math.ceil(excessMs / 1000));
  if (seconds <= 60) return seconds;
  return seconds <= 3600 ? Math.ceil(seconds / 60) * 60 : Math.ceil(seconds / 3600) * 3600;
}
