import type { PurgeWish } from '../cache/purge-targets.ts';

const lists = ['urls', 'prefixes', 'hosts', 'tags'] as const;
const flags = ['everything', 'soft'] as const;
const known: ReadonlySet<string> = new Set([...lists, ...flags, 'zone']);
/** More in one request would keep the primary from its other work. */
const maxTargets = 1000;
const maxTextLength = 8192;

/** The body of `POST /cache/purge` as a wish, or what is wrong with it. */
export function readPurgeRequest(body: unknown): PurgeWish | string {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return 'expected a JSON object';
  const said = body as Readonly<Record<string, unknown>>;
  const stranger = Object.keys(said).find((key) => !known.has(key));
  if (stranger !== undefined) return `unknown key ${JSON.stringify(stranger)}; known are ${[...known].join(', ')}`;
  for (const name of lists) if (!isListOfTexts(said[name])) return `${name}: expected a list of texts`;
  for (const name of flags) if (!isFlag(said[name])) return `${name}: expected true or false`;
  const { zone } = said;
  if (zone !== undefined && typeof zone !== 'string') return 'zone: expected the name of a zone';
  const wish: PurgeWish = {
    urls: listOf(said['urls']),
    prefixes: listOf(said['prefixes']),
    hosts: listOf(said['hosts']),
    tags: listOf(said['tags']),
    everything: said['everything'] === true,
    soft: said['soft'] === true,
    zone,
  };
  const count = wish.urls.length + wish.prefixes.length + wish.hosts.length + wish.tags.length;
  if (wish.everything && count > 0) return 'everything: true leaves nothing to be named besides';
  if (!wish.everything && count === 0) return `expected at least one of ${lists.join(', ')}, or everything: true`;
  return count > maxTargets ? `at most ${maxTargets} of urls, prefixes, hosts and tags together` : wish;
}

function isListOfTexts(value: unknown): boolean {
  if (value === undefined) return true;
  return Array.isArray(value) && value.every((one) => typeof one === 'string' && one.length <= maxTextLength);
}

function isFlag(value: unknown): boolean {
  return value === undefined || typeof value === 'boolean';
}

function listOf(value: unknown): readonly string[] {
  return (value as readonly string[] | undefined) ?? [];
}
