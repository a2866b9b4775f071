import type { RequestHead } from '../request/request-head.ts';
import { PorticoError } from '../response/portico-error.ts';

/** How much there may be of what the engines bound by its size only. */
export interface HeadLimits {
  /** Bytes of the target. */
  readonly uriLength: number;
  /** Fields of the header. */
  readonly headerCount: number;
}

export function checkHead(
  { target, fields }: RequestHead,
  { uriLength, headerCount }: HeadLimits,
): PorticoError | undefined {
  if (target.length > uriLength) {
    return new PorticoError('uri_too_long', `a target of ${target.length} bytes is over the limit of ${uriLength}`);
  }
  const count = fields.entries.length / 2;
  if (count <= headerCount) return undefined;
  return new PorticoError('header_too_large', `${count} fields are over the limit of ${headerCount}`);
}
