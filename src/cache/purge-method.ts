import type { RequestContext } from '../request/request-context.ts';
import type { TrustedProxies } from '../request/trusted-proxies.ts';
import { responseHead } from '../response/response-head.ts';
import type { Handler } from '../route/route.ts';
import { CacheKey } from './cache-key.ts';
import type { CacheRules } from './cache-rules.ts';
import type { PurgeClient } from './purge-client.ts';

const answers = {
  purged: answer(200, 'purged\n'),
  refused: answer(403, 'PURGE is not taken from this address\n'),
  unconfirmed: answer(503, 'purged, but not every worker has confirmed it\n'),
};

/**
 * Takes requests with the method PURGE, which no RFC knows and many programs send: the response stored for their URL goes, in
 * every worker, with all its variants. Everything else goes on to the next handler.
 */
export class PurgeMethod implements Handler {
  private readonly rules: CacheRules;
  private readonly key: CacheKey;
  private readonly allowed: Pick<TrustedProxies, 'has'>;
  private readonly purges: PurgeClient;
  private readonly next: Handler;

  /** @param allowed addresses of clients that may */
  constructor(rules: CacheRules, allowed: Pick<TrustedProxies, 'has'>, purges: PurgeClient, next: Handler) {
    this.rules = rules;
    this.key = new CacheKey(rules.key);
    this.allowed = allowed;
    this.purges = purges;
    this.next = next;
  }

  /** PURGE is never answered at a glance. */
  glance(context: RequestContext): boolean {
    return this.next.glance?.(context) === true;
  }

  handle(context: RequestContext): void {
    const { exchange, client } = context;
    if (exchange.head.method !== 'PURGE') return this.next.handle(context);
    if (!this.allowed.has(client?.address ?? exchange.connection.remoteAddress)) {
      return exchange.respond(answers.refused.head, answers.refused.body);
    }
    const host = this.rules.key.host ? (client?.host ?? exchange.head.host) : '';
    const path = exchange.head.rawPath;
    const [url = ''] = this.key.of(context).split(' ', 1);
    const what = { kind: 'url', host, path, query: url.slice(host.length + path.length + 1) } as const;
    this.purges.purge([{ zone: this.rules.zone, what, soft: false }], ({ ok }) => {
      const { head, body } = ok ? answers.purged : answers.unconfirmed;
      exchange.respond(head, body);
    });
  }
}

function answer(status: number, text: string) {
  const fields = [
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['Cache-Control', 'no-store'],
  ] as const;
  return { head: responseHead(status, fields), body: Buffer.from(text) };
}
