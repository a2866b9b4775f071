import type { RequestContext } from '../request/request-context.ts';
import type { CacheBypass } from './cache-bypass.ts';
import { type CacheKey, variantKey } from './cache-key.ts';
import type { CacheRules } from './cache-rules.ts';
import type { EntryAnswer } from './entry-answer.ts';
import { normalizedCodings } from './policy/variant.ts';
import type { ResponseStore, StoreEntry } from './response-store.ts';

/** Values of Accept-Encoding remembered. Browsers know a dozen; a client that makes them up must not fill the memory. */
const maxRemembered = 256;
const maxRememberedLength = 200;

/**
 * Finds what is in memory and fresh for requests of which only the line and single fields were looked at yet. Whatever
 * may depend on more than the first field of a name is left to the whole request: it says that it found nothing, and has
 * done nothing.
 */
export class CacheGlance {
  private readonly rules: CacheRules;
  private readonly key: CacheKey;
  private readonly bypass: CacheBypass;
  private readonly store: ResponseStore;
  private readonly answer: EntryAnswer;
  /** What remains of an Accept-Encoding when it is normalised, as part of the key. */
  private readonly variants = new Map<string | undefined, string>();
  private readonly usable: boolean;

  constructor(rules: CacheRules, key: CacheKey, bypass: CacheBypass, store: ResponseStore, answer: EntryAnswer) {
    this.rules = rules;
    this.key = key;
    this.bypass = bypass;
    this.store = store;
    this.answer = answer;
    // A request that may say no has to be read whole, and so has one of which the key holds more than the target.
    this.usable = !rules.obeyRequest && key.isOfTarget;
  }

  /** Answers with a plain hit. @returns whether it has */
  tryAnswer(context: RequestContext): boolean {
    if (!this.usable) return false;
    const { exchange } = context;
    const { head } = exchange;
    if (head.method !== 'GET' && head.method !== 'HEAD') return false;
    const key = this.key.ofTarget(exchange);
    let found = this.store.peek(key);
    if (found !== undefined && 'names' in found) {
      const { names } = found;
      if (names.length !== 1 || names[0] !== 'accept-encoding' || !this.rules.normalizeVary.acceptEncoding)
        return false;
      found = this.store.peek(variantKey(key, this.variant(head.peek('accept-encoding'))));
    }
    if (found === undefined || 'names' in found || !this.mayUse(context, found)) return false;
    return this.answer.glance(context, found, Date.now());
  }

  private mayUse({ exchange }: RequestContext, { purged }: StoreEntry): boolean {
    const { head } = exchange;
    if (purged || this.bypass.mayConcern(head)) return false;
    return head.peek('if-match') === undefined && head.peek('if-unmodified-since') === undefined;
  }

  private variant(acceptEncoding: string | undefined): string {
    let variant = this.variants.get(acceptEncoding);
    if (variant === undefined) {
      variant = normalizedCodings(acceptEncoding);
      if (this.variants.size >= maxRemembered) this.variants.clear();
      if ((acceptEncoding?.length ?? 0) <= maxRememberedLength) this.variants.set(acceptEncoding, variant);
    }
    return variant;
  }
}
