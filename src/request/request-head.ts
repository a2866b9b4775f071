import type { HeaderFields } from '../http/header-fields.ts';

/** A copied snapshot of a request's line and fields: valid for as long as anybody holds it, whatever the engine does. */
export interface RequestHead {
  /** As sent: methods are case-sensitive (RFC 9110 section 9.1). */
  readonly method: string;
  /** `HTTP/1.0` or `HTTP/2.0` for the access log; `HTTP/1.1` when left out. */
  readonly protocol?: string;
  /** Path and query exactly as the client sent them; origin-form (`/a?b`). Forwarded upstream byte for byte. */
  readonly target: string;
  /** The target up to its first `?`, not decoded. */
  readonly rawPath: string;
  /** What follows the first `?`, or undefined when there is none (`''` for a bare `?`). */
  readonly query: string | undefined;
  /** The Host field, or `:authority`, in lower case, with its port when it has one. Already validated. */
  readonly host: string;
  readonly fields: HeaderFields;
}
