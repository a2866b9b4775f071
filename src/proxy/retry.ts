import type { UpstreamConfig } from '../config/config.ts';

/** Methods that may be sent twice (RFC 9110 section 9.2.2). */
const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** What a try failed of: no connection, one that died, no response in time, or a status. */
export type RetryReason = UpstreamConfig['retry']['on'][number];

/** How far a try had come that failed before anything of a response was passed on. */
export interface FailedTry {
  readonly reason: RetryReason;
  readonly method: string;
  /** Whether the request has no body, or one that can be sent again. */
  readonly replayable: boolean;
  /** Whether any of the request was sent. */
  readonly sent: boolean;
  /** Times that the request was sent. */
  readonly sendings: number;
  /** Whether a kept-alive connection was closed by the server just then, and for the first time. */
  readonly stale: boolean;
  /** Tries so far, those included that sent nothing. */
  readonly tries: number;
  readonly servers: number;
  /** Whether there is another server that takes requests. */
  readonly another: boolean;
  /** Whether the request can wait for a server to be back. */
  readonly waits: boolean;
}

/** `budgeted`: when the retry budget allows it. */
export type RetryVerdict = 'no' | 'yes' | 'budgeted';

/**
 * Whether a failed request may be tried again. When nothing of it was sent, as long as there are servers, or it can wait
 * for one; tries that did send something are not held against it. When it was sent, only what may be sent twice, and no more than `attempts` times; an answer that was too late or
 * of a bad status is asked for at another server only. A kept-alive connection that the server closes just as it is used
 * says nothing about the server: once, and whatever the rules are, the request is sent again.
 */
export function mayRetry(failed: FailedTry, rules: Pick<UpstreamConfig['retry'], 'on' | 'attempts'>): RetryVerdict {
  const { reason, tries, sendings, servers } = failed;
  const isAllowed = rules.on.includes(reason);
  if (!failed.sent) return failed.waits || (isAllowed && tries - sendings <= servers) ? 'yes' : 'no';
  if (!failed.replayable || !idempotent.has(failed.method)) return 'no';
  if (reason === 'reset' && failed.stale) return 'yes';
  if (!isAllowed || failed.sendings >= rules.attempts) return 'no';
  if (reason !== 'reset' && !failed.another) return 'no';
  return 'budgeted';
}

/** Whether a response of that status is one that a retry may be configured for. */
export function isRetryStatus(status: number): status is 502 | 503 | 504 {
  return status >= 502 && status <= 504;
}
