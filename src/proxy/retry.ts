/** Methods that may be sent twice (RFC 9110 section 9.2.2). */
const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** How far a try had come that failed before the client got a byte of a response. */
export interface FailedTry {
  readonly method: string;
  readonly hasBody: boolean;
  /** Whether any of the request was sent. */
  readonly sent: boolean;
  /** Whether the request was sent a second time already. */
  readonly resent: boolean;
  /** Tries so far. */
  readonly tries: number;
  readonly servers: number;
}

/**
 * Whether a failed request may be tried again. Always when nothing of it was sent; once when the connection died
 * under an idempotent request without a body before the client got a byte of a response, as kept-alive connections do that
 * the server closes just then, and those of a server that is killed. Never more tries than one more than there are servers.
 */
export function mayRetry(failed: FailedTry): boolean {
  if (failed.tries > failed.servers) return false;
  return !failed.sent || (!failed.resent && !failed.hasBody && idempotent.has(failed.method));
}
