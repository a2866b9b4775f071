import type { RequestContext } from '../request/request-context.ts';
import { CacheKey } from './cache-key.ts';
import type { CacheKeyRules } from './cache-rules.ts';
import { parseAskedUrl, pretendRequest } from './pretended-request.ts';
import type { PurgeRequest, PurgeTarget } from './purge.ts';

/** What somebody asks to have purged, in the words of people. */
export interface PurgeWish {
  /** `https://example.org/a?page=2`; with `?*` at the end whatever the query. */
  readonly urls: readonly string[];
  /** `https://example.org/blog/` */
  readonly prefixes: readonly string[];
  readonly hosts: readonly string[];
  readonly tags: readonly string[];
  readonly everything: boolean;
  readonly soft: boolean;
  /** Undefined for every zone. */
  readonly zone: string | undefined;
}

/** The zones there are, with the different ways in which their routes make keys. */
export type ZoneKeys = ReadonlyMap<string, readonly CacheKeyRules[]>;

/** Why a wish makes no sense; for the person who has it. */
export class PurgeMistake extends Error {
  override readonly name = 'PurgeMistake';
}

const anyQuery = '?*';
const maxHostLength = 260;

/**
 * What has to be purged for a wish: its URLs as the routes of each zone make keys of them.
 * @throws PurgeMistake
 */
export function requestsFor(wish: PurgeWish, zones: ZoneKeys): PurgeRequest[] {
  const names = zonesOf(wish, zones);
  const requests = names.flatMap((zone) =>
    targetsOf(wish, zones.get(zone) ?? []).map((what): PurgeRequest => ({ zone, what, soft: wish.soft })),
  );
  // Two routes, or two wishes, may come to the same.
  return [...new Map(requests.map((request) => [JSON.stringify(request), request])).values()];
}

function zonesOf({ zone }: PurgeWish, zones: ZoneKeys): readonly string[] {
  if (zone === undefined) return [...zones.keys()];
  if (!zones.has(zone)) throw new PurgeMistake(`there is no zone ${JSON.stringify(zone)}; there is ${listed(zones)}`);
  return [zone];
}

function targetsOf(wish: PurgeWish, ways: readonly CacheKeyRules[]): PurgeTarget[] {
  if (wish.everything) return [{ kind: 'everything' }];
  return [
    ...wish.tags.map((tag): PurgeTarget => ({ kind: 'tag', tag: checkedTag(tag) })),
    ...wish.hosts.flatMap((host) => hostTargets(checkedHost(host), ways)),
    ...wish.prefixes.flatMap((prefix) => prefixTargets(prefix, ways)),
    ...wish.urls.flatMap((url) => urlTargets(url, ways)),
  ];
}

function urlTargets(text: string, ways: readonly CacheKeyRules[]): PurgeTarget[] {
  const isAny = text.endsWith(anyQuery);
  const url = parseAskedUrl(isAny ? text.slice(0, -anyQuery.length) : text);
  if (url === undefined) throw new PurgeMistake(notAnUrl(text));
  return ways.map((rules): PurgeTarget => {
    const host = rules.host ? url.host : '';
    if (isAny) return { kind: 'url', host, path: url.path, query: undefined };
    // Up to the space stands the URL as the route counts it.
    const [key = ''] = new CacheKey(rules).of(pretendRequest(url) as RequestContext).split(' ', 1);
    return { kind: 'url', host, path: url.path, query: key.slice(host.length + url.path.length + 1) };
  });
}

function prefixTargets(text: string, ways: readonly CacheKeyRules[]): PurgeTarget[] {
  const url = parseAskedUrl(text);
  if (url === undefined) throw new PurgeMistake(notAnUrl(text));
  if (url.query !== undefined) throw new PurgeMistake(`a prefix has no query: ${JSON.stringify(text)}`);
  return ways.map((rules) => ({ kind: 'prefix', host: rules.host ? url.host : '', path: url.path }));
}

/** Where the host does not count, what one host shows is what all show. */
function hostTargets(host: string, ways: readonly CacheKeyRules[]): PurgeTarget[] {
  return ways.map((rules) => ({ kind: 'host', host: rules.host ? host : '' }));
}

function checkedHost(host: string): string {
  const isHost = host.length <= maxHostLength && !/[/?#@\s]/.test(host) && URL.canParse(`http://${host}/`);
  if (!isHost) throw new PurgeMistake(`${JSON.stringify(host)} is no host such as example.org or example.org:8080`);
  return host.toLowerCase();
}

function checkedTag(tag: string): string {
  if (tag !== '' && !/[\s,]/.test(tag)) return tag;
  throw new PurgeMistake(`${JSON.stringify(tag)} is no tag: one or more characters without blanks and commas`);
}

function notAnUrl(text: string): string {
  return `${JSON.stringify(text)} is no URL with its host, such as http://example.org/blog/`;
}

function listed(zones: ZoneKeys): string {
  return [...zones.keys()].join(', ');
}
