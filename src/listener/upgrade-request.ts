import { listElements, listNames } from '../http/list-elements.ts';
import type { RequestHead } from '../request/request-head.ts';
import type { UpgradeRequest } from './tunnel.ts';

/**
 * What a request of HTTP/1.1 asks to go on with (RFC 9110 section 7.8). The Upgrade field was checked to be a list of protocols.
 * @param close whether the client wants the connection closed behind the response
 * @returns undefined when it asks for nothing: Upgrade counts only where Connection names it
 */
export function readUpgradeRequest({
  fields,
  close,
}: Pick<RequestHead, 'fields'> & { readonly close: boolean }): UpgradeRequest | undefined {
  if (close || !listNames(fields.list('connection'), 'upgrade')) return undefined;
  const protocols = listElements(fields.list('upgrade'));
  return protocols.length === 0 ? undefined : { protocols };
}
