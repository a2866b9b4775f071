import type { RequestContext } from '../request/request-context.ts';
import { respondError } from '../response/error-response.ts';
import { PorticoError } from '../response/portico-error.ts';
import type { CacheEntry } from './cache-entry.ts';
import type { PendingRequest } from './file-cache.ts';

/** Who goes on with a request once its path, or the contents behind it, are known. */
export interface LookupOwner {
  answer(context: RequestContext, entry: CacheEntry, attempt: number, fromDisk: boolean): void;
  openFailed(context: RequestContext, entry: CacheEntry, index: number, attempt: number, error: unknown): void;
}

/** One request that waits for the disk. */
export class PendingLookup implements PendingRequest {
  private readonly owner: LookupOwner;
  private readonly context: RequestContext;
  private readonly attempt: number;
  private readonly fromDisk: boolean;

  /** @param fromDisk whether it waits for contents, not only for what its path means */
  constructor(owner: LookupOwner, context: RequestContext, attempt: number, fromDisk: boolean) {
    this.owner = owner;
    this.context = context;
    this.attempt = attempt;
    this.fromDisk = fromDisk;
  }

  loaded(entry: CacheEntry): void {
    this.goOn(() => this.owner.answer(this.context, entry, this.attempt, this.fromDisk));
  }

  failed(entry: CacheEntry, index: number, error: unknown): void {
    this.goOn(() => this.owner.openFailed(this.context, entry, index, this.attempt, error));
  }

  /** A defect met by one of the requests must not keep the others waiting. */
  private goOn(step: () => void): void {
    if (this.context.exchange.aborted) return;
    try {
      step();
    } catch (cause) {
      respondError(this.context, new PorticoError('internal', 'answering with a file failed', { cause }));
    }
  }
}
