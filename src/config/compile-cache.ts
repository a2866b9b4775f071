import { lstatSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { CacheKeyRules, CacheRules } from '../cache/cache-rules.ts';
import type { ZoneConfig } from '../cache/store/zone-config.ts';
import { parseAddressRange } from './address-range.ts';
import { cacheDefaults, zoneDefaults } from './cache-defaults.ts';
import { closestName } from './closest-name.ts';
import type { Account } from './config.ts';
import type { Diagnosis } from './diagnosis.ts';
import { isOpenToAll, writableFolderMistake } from './file-check.ts';
import { quote } from './finding.ts';
import type { ParsedConfig } from './schema.ts';
import type { KeyPath } from './schema-walk.ts';

type ParsedRoute = ParsedConfig['sites'][number]['routes'][number];
type ParsedRules = Exclude<ParsedRoute['cache'], boolean>;
type ParsedZone = ParsedConfig['caches'][string];

/** There without being written down. */
const defaultZone = 'default';
/** For data that can be made anew and should outlive a restart (Filesystem Hierarchy Standard, sections 5.5 and 5.15). */
const cacheFolder = '/var/cache/portico';
const lastingFolder = '/var/tmp';
/** Cookies by which frameworks know who is logged in: Django, Rails, PHP, Express, Flask, ASP.NET, Laravel. */
const sessionCookies = /^(sessionid|_session_id|PHPSESSID|connect\.sid|session|\.AspNetCore.*|laravel_session)/i;

/** The zones: those of the configuration, and `default` where a route uses it. Folders are absolute. */
export function compileCaches(
  parsed: ParsedConfig,
  account: Account | undefined,
  diagnosis: Diagnosis,
): Record<string, ZoneConfig> {
  const used = new Set(
    parsed.sites.flatMap(({ routes }) => routes.flatMap(({ cache }) => (cache === false ? [] : [zoneOf(cache)]))),
  );
  const zones = Object.entries(parsed.caches);
  if (used.has(defaultZone) && parsed.caches[defaultZone] === undefined) zones.push([defaultZone, zoneDefaults]);
  return Object.fromEntries(
    zones.map(([name, zone]) => [name, compileZone(name, zone, { isUsed: used.has(name), account }, diagnosis)]),
  );
}

function zoneOf(cache: true | ParsedRules): string {
  return cache === true ? defaultZone : cache.zone;
}

/** Who uses a cache. */
interface ZoneUse {
  readonly isUsed: boolean;
  readonly account: Account | undefined;
}

function compileZone(name: string, zone: ParsedZone, use: ZoneUse, diagnosis: Diagnosis): ZoneConfig {
  const { directory, ...sizes } = zone;
  if (!use.isUsed) diagnosis.warn(`no route uses the cache ${name}`);
  if (sizes.memoryEntry > sizes.memorySize && sizes.memorySize > 0) {
    diagnosis.reportKey(['caches', name, 'memoryEntry'], {
      message: `one response of ${sizes.memoryEntry} bytes is more than the memory of the cache ${quote(name)}`,
      found: `${sizes.memoryEntry} bytes`,
      allowed: 'a size of at most memorySize',
    });
  }
  for (const [index, text] of zone.purge.allow.entries()) {
    const checked = parseAddressRange(text);
    if ('mistake' in checked) diagnosis.report(['caches', name, 'purge', 'allow', index], checked.mistake);
    else if (checked.value.prefixLength === 0)
      diagnosis.warn(`caches.${name}.purge.allow has ${text}: everybody may purge`);
  }
  return { name, ...sizes, directory: zoneDirectory(name, directory, use, diagnosis) };
}

function zoneDirectory(
  name: string,
  directory: string | false | undefined,
  { isUsed, account }: ZoneUse,
  diagnosis: Diagnosis,
): string | undefined {
  if (directory === false) return undefined;
  if (directory === undefined) return isUsed ? usualFolder(name, account, diagnosis) : undefined;
  const path = diagnosis.absolute(directory);
  const mistake = isMissing(path)
    ? writableFolderMistake(dirname(path))
    : writableFolderMistake(path, isGiven(path) ? undefined : account);
  if (mistake) diagnosis.report(['caches', name, 'directory'], mistake);
  else if (isOpenToAll(path, false)) {
    diagnosis.warn(
      `caches.${name}.directory: everybody on this machine may write into ${path}, and put responses there`,
    );
  }
  return path;
}

function usualFolder(name: string, account: Account | undefined, diagnosis: Diagnosis): string | undefined {
  const canBeGiven = account !== undefined && isGiven(cacheFolder);
  if (writableFolderMistake(cacheFolder, canBeGiven ? undefined : account) === undefined) return cacheFolder;
  const user = account?.uid ?? process.getuid?.() ?? 0;
  const folder = join(lastingFolder, `portico-cache-${user}`);
  if (isMissing(folder) ? writableFolderMistake(lastingFolder) === undefined : isOwn(folder, user)) return folder;
  diagnosis.warn(`the cache ${name} is in memory alone: neither ${cacheFolder} nor ${folder} can be used`);
  return undefined;
}

function isMissing(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) === undefined;
}

/** What is root's is given to the user whom workers become. */
function isGiven(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.uid === 0;
}

/** Everybody may make a folder of that name first: what others can write into is no place for responses. */
function isOwn(path: string, user: number): boolean {
  const stat = lstatSync(path);
  return stat.isDirectory() && stat.uid === user && (stat.mode & 0o022) === 0;
}

/** What a route says about caching; undefined without a cache. */
export function compileRouteCache(
  route: ParsedRoute,
  path: KeyPath,
  parsed: ParsedConfig,
  diagnosis: Diagnosis,
): CacheRules | undefined {
  const { cache } = route;
  if (cache === false) return undefined;
  if (route.proxy === undefined) {
    const message = `the route ${quote(route.path)} has a cache but no proxy`;
    diagnosis.reportKey(path, { message, found: 'cache without proxy', allowed: 'cache beside proxy' });
  }
  const rules = cache === true ? noRules : cache;
  if (rules.zone !== defaultZone && parsed.caches[rules.zone] === undefined) {
    const names = Object.keys(parsed.caches);
    const suggestion = closestName(rules.zone, names);
    diagnosis.report([...path, 'zone'], {
      message: `unknown cache ${quote(rules.zone)}`,
      found: quote(rules.zone),
      allowed: [...names, defaultZone].join(', '),
      ...(suggestion !== undefined && { suggestion }),
    });
  }
  const key = compileKey(rules.key, [...path, 'key'], diagnosis);
  warnOfSharedSessions(route, rules, diagnosis);
  const { vary, heuristic, cacheStatus, bypass } = rules;
  const guess =
    heuristic === true ? { share: cacheDefaults.heuristicShare, max: cacheDefaults.heuristicMax } : heuristic;
  return {
    zone: rules.zone,
    ttl: rules.ttl,
    ttlByStatus: rules.ttlByStatus,
    heuristic: guess === false ? undefined : { share: guess.share / 100, max: guess.max },
    obeyRequest: rules.obeyRequest,
    storeSetCookie: rules.storeSetCookie,
    staleWhileRevalidate: rules.staleWhileRevalidate,
    staleIfError: rules.staleIfError,
    bypass: { ...bypass, headers: bypass.headers.map((name) => name.toLowerCase()) },
    key,
    maxEntry: rules.maxEntry,
    collapse: rules.collapse,
    cacheStatus: cacheStatus === true ? cacheDefaults.name : cacheStatus === false ? undefined : cacheStatus,
    xCache: rules.xCache,
    targeted: rules.targeted,
    normalizeVary: { acceptEncoding: vary.acceptEncoding, acceptLanguage: vary.acceptLanguage },
  };
}

function compileKey(key: ParsedRules['key'], path: KeyPath, diagnosis: Diagnosis): CacheKeyRules {
  const { query, sortQuery: sort } = key;
  const names = { host: key.host, headers: key.headers.map((name) => name.toLowerCase()), cookies: key.cookies };
  if (typeof query === 'boolean') return { ...names, query: { mode: query ? 'all' : 'none', names: [], sort } };
  const { only, except } = query;
  if ((only === undefined) === (except === undefined)) {
    const found = only === undefined ? 'neither' : 'both';
    const message = 'query says which parameters count by one of only and except';
    diagnosis.report([...path, 'query'], { message, found, allowed: 'one list: only or except' });
  }
  return only === undefined
    ? { ...names, query: { mode: 'except', names: except ?? [], sort } }
    : { ...names, query: { mode: 'only', names: only, sort } };
}

/** A lifetime for what says nothing, on a route where people are logged in: one would see the page of another. */
function warnOfSharedSessions({ path }: ParsedRoute, rules: ParsedRules, diagnosis: Diagnosis): void {
  const { ttl, bypass, key, zone: _zone, ttlByStatus } = rules;
  const covers = [...bypass.cookies, ...key.cookies].some((name) => sessionCookies.test(name));
  const lasting = ttl > 0 || Object.entries(ttlByStatus).some(([status, time]) => status.startsWith('2') && time > 0);
  if (lasting && !covers && bypass.cookies.length === 0) {
    diagnosis.warn(
      `the cache of the route ${path} keeps what says nothing about caching, also pages of people who are logged in, unless it says Vary: Cookie; have their cookies in bypass.cookies, such as sessionid`,
    );
  }
  if (rules.storeSetCookie && lasting && !covers) {
    diagnosis.warn(
      `the cache of the route ${path} stores responses that set cookies: they may be for one person alone`,
    );
  }
  if (!key.host) {
    diagnosis.warn(
      `the cache of the route ${path} does not tell hosts apart: whoever chooses the Host chooses for all`,
    );
  }
}

/** For `cache: true`. */
const noRules: ParsedRules = {
  zone: defaultZone,
  ttl: cacheDefaults.ttl,
  ttlByStatus: {},
  heuristic: false,
  obeyRequest: false,
  storeSetCookie: false,
  staleWhileRevalidate: cacheDefaults.staleWhileRevalidate,
  staleIfError: cacheDefaults.staleIfError,
  bypass: { cookies: [], headers: [], query: [] },
  key: { host: true, query: true, sortQuery: false, headers: [], cookies: [] },
  vary: { acceptEncoding: true },
  maxEntry: cacheDefaults.maxEntry,
  collapse: cacheDefaults.collapse,
  cacheStatus: true,
  xCache: false,
  targeted: true,
};
