/**
 * Why there is no certificate, for metrics: the authority cannot be reached or fails (`unreachable`), asks us to wait
 * (`rate_limited`), could not see that a name is ours (`validation`), refuses otherwise (`refused`), says what makes no
 * sense (`protocol`), what it gave cannot be stored (`storage`), or the program stops (`stopped`).
 */
export type AcmeFailure =
  | 'unreachable'
  | 'rate_limited'
  | 'validation'
  | 'refused'
  | 'protocol'
  | 'storage'
  | 'stopped';

/** What an authority says is wrong (RFC 7807, RFC 8555 section 6.7), cut to what a log can take. */
export interface Problem {
  /** `urn:ietf:params:acme:error:rateLimited`, without what stands before the last colon. */
  readonly type: string;
  readonly detail: string;
  readonly subproblems: readonly { readonly name: string; readonly type: string; readonly detail: string }[];
}

/** An order or a part of it that failed. The message is for the operator, in one line, and holds no secret. */
export class AcmeError extends Error {
  readonly failure: AcmeFailure;
  readonly problem: Problem | undefined;
  /** How long the authority wants us to wait, milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(
    failure: AcmeFailure,
    message: string,
    { problem, retryAfterMs, cause }: { problem?: Problem; retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'AcmeError';
    this.failure = failure;
    this.problem = problem;
    this.retryAfterMs = retryAfterMs;
  }
}

const longestText = 500;
const mostSubproblems = 20;

/** @param value what came as JSON; undefined when it was none */
export function readProblem(value: unknown): Problem {
  const { type, detail, subproblems } = asRecord(value);
  const list = Array.isArray(subproblems) ? subproblems.slice(0, mostSubproblems).map(asRecord) : [];
  return {
    type: shortType(type),
    detail: line(detail),
    subproblems: list.map((each) => ({
      name: line(asRecord(each['identifier'])['value']),
      type: shortType(each['type']),
      detail: line(each['detail']),
    })),
  };
}

/** `rateLimited: too many certificates (a.example: …)` */
export function describeProblem({ type, detail, subproblems }: Problem): string {
  const parts = subproblems.map((each) => `${each.name}: ${each.type}: ${each.detail}`);
  return `${type}: ${detail}${parts.length === 0 ? '' : ` (${parts.join('; ')})`}`;
}

function shortType(type: unknown): string {
  const text = line(type);
  return text === '' ? 'about:blank' : text.replace(/^urn:ietf:params:acme:error:/, '');
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** An authority's text is as hostile as any other: one line of printable characters. */
function line(value: unknown): string {
  if (typeof value !== 'string') return '';
  return value.replace(/[\s\p{Cc}\p{Cf}]+/gu, ' ').slice(0, longestText);
}
