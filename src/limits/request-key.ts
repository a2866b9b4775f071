import { requestCookie } from '../http/cookie.ts';
import type { RequestContext } from '../request/request-context.ts';
import { AddressBlocks } from './address-block.ts';
import type { KeyedHash } from './keyed-hash.ts';

/** One part of what requests are counted by. Names of headers are in lower case. */
export type KeyPart = 'address' | 'host' | 'route' | 'site' | { readonly header: string } | { readonly cookie: string };

/**
 * What the requests are counted by that belong together. Where a header or a cookie is missing the client's address stands in
 * its place: leaving it out is no way round a limit.
 */
export class RequestKey {
  readonly #parts: readonly KeyPart[];
  readonly #hash: KeyedHash;
  readonly #blocks = new AddressBlocks();

  constructor(parts: readonly KeyPart[], hash: KeyedHash) {
    this.#parts = parts;
    this.#hash = hash;
  }

  /** Leaves the key in the hash. */
  read(context: RequestContext): void {
    const hash = this.#hash;
    hash.begin();
    for (const part of this.#parts) this.#feed(part, context);
    hash.finish();
  }

  #feed(part: KeyPart, context: RequestContext): void {
    switch (part) {
      case 'address':
        return this.#feedAddress(context);
      case 'host':
        return this.#hash.feed(context.client?.host ?? '');
      case 'route':
        this.#hash.feed(context.route?.site ?? '');
        return this.#hash.feed(context.route?.name ?? '');
      case 'site':
        return this.#hash.feed(context.route?.site ?? '');
      default:
        return this.#feedValue(part, context);
    }
  }

  #feedValue(part: Extract<KeyPart, object>, context: RequestContext): void {
    const { fields } = context.exchange.head;
    const value = 'header' in part ? fields.get(part.header) : requestCookie(fields, part.cookie);
    // Tells a value that looks like an address from one.
    this.#hash.feedWord(value === undefined ? 0 : 1);
    if (value === undefined) this.#feedAddress(context);
    else this.#hash.feed(value);
  }

  #feedAddress({ client }: RequestContext): void {
    this.#blocks.feed(this.#hash, client?.address ?? '');
  }
}
