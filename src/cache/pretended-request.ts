import { HeaderFields } from '../http/header-fields.ts';
import type { Exchange } from '../listener/exchange.ts';
import type { RequestContext } from '../request/request-context.ts';
import type { RequestHead } from '../request/request-head.ts';

/** An URL as a client would ask for it. */
export interface AskedUrl {
  readonly scheme: 'http' | 'https';
  /** In lower case, with its port unless that is the scheme's. */
  readonly host: string;
  /** As written, with what is not ASCII percent-encoded. */
  readonly path: string;
  /** Undefined without `?`. */
  readonly query: string | undefined;
}

const absolute = /^(https?):\/\/([^/?#\s]+)([^?#\s]*)(?:\?([^#\s]*))?(?:#.*)?$/i;

/**
 * Takes an URL apart without putting it into another form: keys are as clients write it.
 * @returns undefined for what is no http or https URL with a host
 */
export function parseAskedUrl(text: string): AskedUrl | undefined {
  const match = absolute.exec(text.trim().replace(/[^!-~]+/gu, encodeURIComponent));
  if (match === null || !URL.canParse(text)) return undefined;
  const { host, protocol, username, password } = new URL(text);
  if (host === '' || username !== '' || password !== '') return undefined;
  const path = match[3] === undefined || match[3] === '' ? '/' : match[3];
  return { scheme: protocol === 'https:' ? 'https' : 'http', host, path, query: match[4] };
}

/** What is known of a request by its URL and fields alone. */
export type PretendedRequest = Pick<RequestContext, 'exchange' | 'client'>;

/**
 * A request that nobody has sent, for keys and explanations: as it is seen without a proxy in front, or through one that says
 * what the URL says. It can be looked at, not answered.
 *
 * @param fields names in lower case and values, one behind the other
 */
export function pretendRequest({ scheme, host, path, query }: AskedUrl, fields: string[] = []): PretendedRequest {
  const sent = new HeaderFields(fields);
  const head: RequestHead = {
    method: 'GET',
    target: query === undefined ? path : `${path}?${query}`,
    rawPath: path,
    query,
    host,
    fields: sent,
    peek: (name) => sent.peek(name),
  };
  const connection = { scheme, remoteAddress: '', localPort: 0 } as Exchange['connection'];
  const exchange: Pick<Exchange, 'head' | 'connection'> = { head, connection };
  return { exchange: exchange as Exchange, client: { address: '', scheme, host, port: 0, trusted: false } };
}
