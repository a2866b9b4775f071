import { parseQualityList, type QualityItem } from './quality-list.ts';

/**
 * Which of the media types a client prefers, by its Accept field (RFC 9110 section 12.5.1): the higher weight, then the
 * one named more precisely, then the one offered first.
 * @param offered `type/subtype` in lower case, at least one
 * @returns the first one when none is acceptable: a page in the wrong format is better than none
 */
export function preferredMediaType<T extends string>(field: string | undefined, offered: readonly [T, ...T[]]): T {
  if (field === undefined) return offered[0];
  const items = parseQualityList(field);
  let best: T = offered[0];
  let bestScore = 0;
  for (const type of offered) {
    const score = scoreOf(type, items);
    if (score > bestScore) {
      best = type;
      bestScore = score;
    }
  }
  return best;
}

/** Weight first, precision second, in one number; 0 when unacceptable. */
function scoreOf(type: string, items: readonly QualityItem[]): number {
  const group = `${type.slice(0, type.indexOf('/'))}/*`;
  let precision = 0;
  let quality = 0;
  for (const item of items) {
    const matched = item.value === type ? 3 : item.value === group ? 2 : item.value === '*/*' ? 1 : 0;
    if (matched <= precision) continue;
    precision = matched;
    quality = item.quality;
  }
  return quality === 0 ? 0 : quality * 4 + precision;
}
