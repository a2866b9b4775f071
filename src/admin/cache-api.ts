import type { CacheExplanation } from '../cache/cache-explanation.ts';
import { parseAskedUrl } from '../cache/pretended-request.ts';
import { PurgeMistake, type PurgeWish } from '../cache/purge-targets.ts';
import { readPurgeRequest } from './cache-purge-request.ts';
import type { ControlAnswer } from './control-api.ts';

/** What can be done with the cache through the admin listener. */
export interface CacheControl {
  /**
   * Purges. The result is for the answer.
   * @throws PurgeMistake when the wish makes no sense
   */
  readonly purge: (wish: PurgeWish) => Promise<PurgeReport>;
  /** What is stored for a request. @returns why that is not known, as text */
  readonly explain: (url: string, fields: readonly string[]) => Promise<CacheExplanation | string>;
}

/** What the answer to a purge says. */
export interface PurgeReport {
  /** Orders given: at least one for what was asked, one more for each zone and way of making keys. */
  readonly orders: number;
  /** Workers that obey, and those that did not say so in time. */
  readonly workers: number;
  readonly silent: number;
  /** Until every worker had confirmed. */
  readonly milliseconds: number;
  /** Why the orders would not outlive a restart. */
  readonly warning?: string;
}

/** `POST /cache/purge`: 200 when every worker obeys, 202 when some are silent (they obey before they serve again). */
export async function answerPurge(cache: CacheControl, body: unknown): Promise<ControlAnswer> {
  const wish = readPurgeRequest(body);
  if (typeof wish === 'string') return { status: 400, value: { error: wish } };
  try {
    const report = await cache.purge(wish);
    return { status: report.silent === 0 ? 200 : 202, value: report };
  } catch (error) {
    if (!(error instanceof PurgeMistake)) throw error;
    return { status: 400, value: { error: error.message } };
  }
}

/** `GET /cache/why?url=…&header=Name: value`, the latter as often as needed. */
export async function answerWhy(cache: CacheControl, target: string): Promise<ControlAnswer> {
  const parameters = new URL(target, 'http://localhost').searchParams;
  const url = parameters.get('url') ?? '';
  const error = (message: string): ControlAnswer => ({ status: 400, value: { error: message } });
  if (parseAskedUrl(url) === undefined) {
    return error('url: expected an URL with its host, such as /cache/why?url=http://example.org/blog/');
  }
  const fields: string[] = [];
  for (const line of parameters.getAll('header')) {
    const match = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\r\n]*)$/.exec(line);
    if (match === null) return error(`header: expected "Name: value", found ${JSON.stringify(line)}`);
    fields.push((match[1] ?? '').toLowerCase(), (match[2] ?? '').trim());
  }
  const explanation = await cache.explain(url, fields);
  if (typeof explanation === 'string') return { status: 503, value: { error: explanation } };
  return { status: 200, value: explanation };
}
