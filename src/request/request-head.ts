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
  /** Read whole on first use where the engine can put it off; a handler has them for as long as it likes. */
  readonly fields: HeaderFields;
  /**
   * The first field of that name (lower case), byte for byte, without reading the others.
   * @returns undefined when there is none, or an empty one
   */
  peek(name: string): string | undefined;
}
