import type { PendingChallenges } from '../acme/pending-challenges.ts';
import type { Counter } from '../metrics/recorder.ts';
import type { RequestContext } from '../request/request-context.ts';
import { responseHead } from '../response/response-head.ts';
import type { Route } from '../route/route.ts';

const head = responseHead(200, [
  ['Content-Type', 'application/octet-stream'],
  ['Cache-Control', 'no-store'],
]);

/**
 * Answers authorities that ask for a token (RFC 8555 section 8.3), whatever host or site the request is for. Paths that no
 * authority was told of go to the sites, so that other clients of authorities can work behind Portico too.
 */
export class ChallengeRoute {
  readonly #challenges: PendingChallenges;
  readonly #route: Route;

  constructor(challenges: PendingChallenges, answered: Counter) {
    this.#challenges = challenges;
    this.#route = {
      site: 'portico',
      name: 'acme-challenge',
      bodyLimit: 0,
      responseFields: Buffer.alloc(0),
      removedResponseFields: new Set(),
      errorPages: new Map(),
      handler: {
        handle: ({ exchange, path }) => {
          answered.add(1);
          exchange.respond(head, Buffer.from(challenges.keyAuthorization(path) ?? ''));
        },
      },
    };
  }

  /** The route for that request, when it is one of an authority's. */
  find({ path, exchange }: RequestContext): Route | undefined {
    if (!this.#challenges.hasTokens || this.#challenges.keyAuthorization(path) === undefined) return undefined;
    const { method } = exchange.head;
    return method === 'GET' || method === 'HEAD' ? this.#route : undefined;
  }
}
