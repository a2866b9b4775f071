/**
 * One order to purge. It concerns what was asked for (`StoredResponse.requestTime`) at or before `time`, so that a response
 * under way when it is given is not kept either. The primary numbers orders, keeps them until nothing on disk is concerned
 * any more, and tells them to every worker, new ones included.
 */
export interface PurgeOrder extends PurgeRequest {
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** What somebody wants to have purged; the primary makes an order of it. */
export interface PurgeRequest {
  readonly zone: string;
  readonly what: PurgeTarget;
  /** Mark stale: the next use revalidates, and errors may still be answered with it. Otherwise it is gone. */
  readonly soft: boolean;
}

/** What is purged. Hosts in lower case with port as in the key, '' where the key has none; paths and queries as in the key. */
export type PurgeTarget =
  /** One URL with all its variants. `query` without `?`, '' for none, undefined: whatever the query. */
  | { readonly kind: 'url'; readonly host: string; readonly path: string; readonly query: string | undefined }
  /** Every path that begins so; with `/blog` also `/blogger`. */
  | { readonly kind: 'prefix'; readonly host: string; readonly path: string }
  | { readonly kind: 'host'; readonly host: string }
  | { readonly kind: 'tag'; readonly tag: string }
  | { readonly kind: 'everything' };
