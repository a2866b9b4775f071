import type { ConcurrencyLimitConfig } from '../limits/concurrency-zone.ts';
import type { RateLimitConfig } from '../limits/rate-zone.ts';
import type { KeyPart } from '../limits/request-key.ts';
import { parseAddressRange } from './address-range.ts';
import { closestName } from './closest-name.ts';
import type { RouteConfig } from './config.ts';
import type { Diagnosis } from './diagnosis.ts';
import { quote } from './finding.ts';
import type { ParsedConfig } from './schema.ts';
import type { KeyPath } from './schema-walk.ts';

type ParsedRateLimit = ParsedConfig['rateLimits'][string];
type ParsedSite = ParsedConfig['sites'][number];
type LimitNames = ParsedSite['rateLimit'];

const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const highestRate = 1_000_000;

/** Checks the zones and turns rates into intervals. */
export function compileRateLimits(
  { rateLimits, redis }: Pick<ParsedConfig, 'rateLimits' | 'redis'>,
  diagnosis: Diagnosis,
): Record<string, RateLimitConfig> {
  const compiled = Object.entries(rateLimits).map(([name, zone]) => {
    const path = ['rateLimits', name];
    const { rate, key, burst, ...rest } = zone;
    const interval = compileRate(rate, path, diagnosis);
    checkExempt(zone, path, diagnosis);
    if (zone.shared && redis === undefined) {
      const message = 'there is no Redis server to share the limit in';
      diagnosis.report([...path, 'shared'], { message, found: 'true', allowed: 'true beside redis: { url: … }' });
    }
    const usualBurst = Math.max(1, Math.ceil(1000 / interval));
    return [name, { ...rest, key: compileKey(key), interval, burst: burst ?? usualBurst }] as const;
  });
  return Object.fromEntries(compiled);
}

/** Checks the zones. */
export function compileConcurrencyLimits(
  { concurrencyLimits }: Pick<ParsedConfig, 'concurrencyLimits'>,
  diagnosis: Diagnosis,
): Record<string, ConcurrencyLimitConfig> {
  const compiled = Object.entries(concurrencyLimits).map(([name, zone]) => {
    checkExempt(zone, ['concurrencyLimits', name], diagnosis);
    return [name, { ...zone, key: compileKey(zone.key) }] as const;
  });
  return Object.fromEntries(compiled);
}

function compileRate(rate: string, path: KeyPath, diagnosis: Diagnosis): number {
  const [count = '', unit = 's'] = rate.split('r/');
  const interval = unitMs[unit as keyof typeof unitMs] / Number(count);
  if (interval >= 1000 / highestRate && interval <= unitMs.d) return interval;
  const allowed = `a rate from 1r/d to ${highestRate}r/s`;
  diagnosis.report([...path, 'rate'], { message: 'out of range', found: quote(rate), allowed });
  return 1000;
}

function compileKey(key: ParsedRateLimit['key']): KeyPart[] {
  return [key].flat().map((part) => {
    if (typeof part === 'string' || 'cookie' in part) return part;
    return { header: part.header.toLowerCase() };
  });
}

function checkExempt({ exempt }: Pick<ParsedRateLimit, 'exempt'>, path: KeyPath, diagnosis: Diagnosis): void {
  for (const [index, text] of exempt.entries()) {
    const checked = parseAddressRange(text);
    if ('mistake' in checked) diagnosis.report([...path, 'exempt', index], checked.mistake);
  }
}

/** Names of the zones that hold. */
type RouteLimits = Pick<RouteConfig, 'rateLimit' | 'concurrencyLimit'>;

export const noLimits: RouteLimits = { rateLimit: [], concurrencyLimit: [] };

/**
 * The zones that hold for a route: its own, or those of its site.
 * @param inherited those of the site
 */
export function compileRouteLimits(
  given: Pick<ParsedSite, 'rateLimit' | 'concurrencyLimit'>,
  path: KeyPath,
  inherited: RouteLimits,
  { rateLimits, concurrencyLimits }: ParsedConfig,
  diagnosis: Diagnosis,
): RouteLimits {
  const { rateLimit, concurrencyLimit } = given;
  return {
    rateLimit:
      rateLimit === undefined
        ? inherited.rateLimit
        : compileLimitNames(rateLimit, 'rateLimits', rateLimits, [...path, 'rateLimit'], diagnosis),
    concurrencyLimit:
      concurrencyLimit === undefined
        ? inherited.concurrencyLimit
        : compileLimitNames(
            concurrencyLimit,
            'concurrencyLimits',
            concurrencyLimits,
            [...path, 'concurrencyLimit'],
            diagnosis,
          ),
  };
}

/** @param table the key that they are defined under */
function compileLimitNames(
  names: LimitNames,
  table: string,
  zones: Readonly<Record<string, unknown>>,
  path: KeyPath,
  diagnosis: Diagnosis,
): string[] {
  if (names === undefined || names === false) return [];
  const known = Object.keys(zones);
  const list = [names].flat();
  for (const [index, name] of list.entries()) {
    const place = Array.isArray(names) ? [...path, index] : path;
    if (!known.includes(name)) {
      const allowed = known.length > 0 ? known.join(', ') : `none: there is nothing under ${table}`;
      const suggestion = closestName(name, known);
      diagnosis.report(place, { message: `unknown limit ${quote(name)}`, found: quote(name), allowed, suggestion });
    } else if (list.indexOf(name) !== index) {
      const message = `${quote(name)} is there twice`;
      diagnosis.report(place, { message, found: quote(name), allowed: 'each limit once' });
    }
  }
  return list;
}
