import { readFieldLines } from '../../http/field-lines.ts';
import type { HeaderFields } from '../../http/header-fields.ts';

/** A response as it came from upstream, of which nothing was changed yet. */
export interface ReceivedResponse {
  readonly status: number;
  /** Status line and fields as `StoredResponse.block` has them, with no line that the route adds. Not kept: copied. */
  readonly block: Buffer;
  /**
   * Fields that were read and left out of the block, name (in lower case) and value in turn: Date, Age and whatever else the
   * route takes for directives. What stands in the block is read there.
   */
  readonly directives: readonly string[] | undefined;
}

/** When a response was asked for and when its head came; milliseconds since 1970. */
export interface ExchangeTimes {
  readonly requestTime: number;
  readonly responseTime: number;
}

/** What of a request counts for the policy; a `RequestHead` is one. */
export interface PolicyRequest {
  readonly method: string;
  readonly fields: HeaderFields;
}

/** All fields of a response, those in its block and those that were left out of it. */
export function fieldsOf({ block, directives }: Pick<ReceivedResponse, 'block' | 'directives'>): HeaderFields {
  const fields = readFieldLines(block);
  if (directives !== undefined) fields.entries.push(...directives);
  return fields;
}
