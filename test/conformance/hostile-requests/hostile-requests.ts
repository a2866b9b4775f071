import { framingRequests } from './framing-requests.ts';
import { fieldRequests, requestLineRequests } from './head-requests.ts';
import type { HostileRequest } from './hostile-request.ts';
import { parserDefects } from './parser-defects.ts';

/** All of them, by what is wrong. */
export const hostileRequests: Readonly<Record<string, readonly HostileRequest[]>> = {
  'ambiguous framing': framingRequests,
  'bad request lines': requestLineRequests,
  'bad fields': fieldRequests,
  'defects of the native parser': parserDefects,
};
