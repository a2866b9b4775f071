import { type IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

/** Who may change things: connections from this machine, everybody who reaches the listener, or nobody. */
export type ControlAccess = 'local' | 'all' | 'off';

/** What is known of a request that wants to change something. */
export interface ControlRequest {
  readonly headers: IncomingHttpHeaders;
  readonly remoteAddress: string | undefined;
}

/** Why a request is refused. */
export interface ControlRefusal {
  readonly status: 403 | 415;
  readonly error: string;
}

/**
 * Whether a request may change something. The listener has no passwords; it must not be the browser of somebody on this
 * machine that sends the request because a page of a stranger told it to.
 *
 * - A browser sends `Origin` and `Sec-Fetch-Site` with every POST of a page: there is no page that may.
 * - A form cannot send `application/json`, and a script of a stranger's page only after a preflight, which is refused.
 * - A name that a stranger makes point to this machine stands in `Host` (DNS rebinding): only addresses, `localhost` and the
 *   host that is configured are taken.
 *
 * @param configuredHost host of `admin.address`
 * @returns undefined when it may
 */
export function refusalOf(
  { headers, remoteAddress }: ControlRequest,
  access: ControlAccess,
  configuredHost: string | undefined,
): ControlRefusal | undefined {
  if (access === 'off') return forbidden('control requests are off (admin.control)');
  if (access === 'local' && !isLoopbackAddress(remoteAddress)) {
    return forbidden('control requests are taken from this machine only (admin.control)');
  }
  if (headers.origin !== undefined || isFromPage(headers['sec-fetch-site'])) {
    return forbidden('control requests are not taken from web pages');
  }
  if (!isTrustedHost(headers.host, configuredHost)) {
    return forbidden('the Host field must be an address, localhost, or the host of admin.address');
  }
  const [mediaType = ''] = (headers['content-type'] ?? '').split(';', 1);
  if (mediaType.trim().toLowerCase() === 'application/json') return undefined;
  return { status: 415, error: 'control requests need "Content-Type: application/json"' };
}

function forbidden(error: string): ControlRefusal {
  return { status: 403, error };
}

/** `none` is a person who typed the address. */
function isFromPage(site: string | string[] | undefined): boolean {
  return site !== undefined && site !== 'none';
}

function isTrustedHost(host: string | undefined, configuredHost: string | undefined): boolean {
  const name = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::\d+)?$/i.exec(host ?? '');
  if (name === null) return false;
  const bare = (name[1] ?? name[2] ?? '').toLowerCase();
  return isIP(bare) !== 0 || bare === 'localhost' || bare === configuredHost?.toLowerCase();
}

function isLoopbackAddress(address = ''): boolean {
  const bare = address.startsWith('::ffff:') ? address.slice(7) : address;
  return bare === '::1' || /^127\.\d+\.\d+\.\d+$/.test(bare);
}
