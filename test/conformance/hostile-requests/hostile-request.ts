/** A malformed or hostile request, and what must become of it. */
export interface HostileRequest {
  /** Completes the sentence "a request with …". */
  readonly name: string;
  /** Latin-1: one character a byte. */
  readonly bytes: string;
  readonly expected: Expectation;
  /** What becomes of it where the whole worker stands behind the engine; as `expected` when left out. */
  readonly throughProxy?: Expectation;
}

export type Expectation =
  /** Answered with that status, by the engine or by the native parser; the connection ends; no handler sees a request. */
  | { readonly outcome: 'refused'; readonly status: number }
  /** Nothing is answered and no handler sees a request: the parser waits for more until its timeout, or hangs up. */
  | { readonly outcome: 'unserved' }
  /** Exactly one request is seen, the one that every parser would read. */
  | { readonly outcome: 'canonical'; readonly request: CanonicalRequest }
  /**
   * The native parser reads something that is wrong, out of sight of our checks. These rows state what the present builds do, so
   * that a build which does better is noticed. They matter where a proxy in front shares its connections among clients.
   */
  | { readonly outcome: 'parser defect'; readonly defect: string; readonly seen: readonly CanonicalRequest[] };

export interface CanonicalRequest {
  readonly method: string;
  readonly target: string;
  /** Latin-1; undefined when it never ends. */
  readonly body: string | undefined;
  /** Fields that must be seen so, by name; undefined: must not be seen. */
  readonly fields?: Readonly<Record<string, string | undefined>>;
}

export const refused = (status: number): Expectation => ({ outcome: 'refused', status });
export const unserved: Expectation = { outcome: 'unserved' };

/** One request is seen: that one. */
export function canonical(
  method: string,
  target: string,
  body = '',
  fields: Readonly<Record<string, string | undefined>> = {},
): Expectation {
  return { outcome: 'canonical', request: { method, target, body, fields } };
}

/** A head of these lines, with the empty line behind it. */
export function head(...lines: string[]): string {
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** A complete request that must not be served where it stands. */
export const smuggled = head('GET /smuggled HTTP/1.1', 'Host: evil.example');
