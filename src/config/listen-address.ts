import { isIPv6 } from 'node:net';
import type { ListenAddress } from './config.ts';
import type { Checked } from './diagnosis.ts';
import { quote } from './finding.ts';
import { canonicalHost, isHost, splitHostPort } from './host-name.ts';
import { parseSocketPath } from './socket-path.ts';

const allowed = 'host:port, [ipv6]:port or :port, with a port from 0 to 65535, or unix:/path/to/socket';

/** Who may connect to a Unix socket unless the configuration says otherwise: its owner and its group. */
const defaultSocketMode = 0o660;

/**
 * `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`, `:8080` for every address, or `unix:/path/to/socket`.
 *
 * @param baseFolder what a relative socket path is relative to
 */
export function parseListenAddress(text: string, baseFolder: string): Checked<ListenAddress> {
  if (text.startsWith('unix:')) return parseSocket(text, baseFolder);
  const parts = splitHostPort(text);
  if (!parts) return wrong(text, suggestionFor(text));
  const { host, bracketed } = parts;
  const port = Number(parts.port);
  if (port > 65_535) return wrong(text);
  if (host === '' && !bracketed) return { value: { address: text, host: undefined, port } };
  if (bracketed ? !isIPv6(host) : !isHost(host)) return wrong(text, host === '*' ? `:${port}` : undefined);
  return { value: { address: text, host, port } };
}

/** The path stands whole in the address, so that one socket is one listener however it is written. */
function parseSocket(text: string, baseFolder: string): Checked<ListenAddress> {
  const checked = parseSocketPath(text, baseFolder, allowed);
  if ('mistake' in checked) return checked;
  const path = checked.value;
  return { value: { address: `unix:${path}`, host: undefined, port: 0, socket: { path, mode: defaultSocketMode } } };
}

/** Whether two sockets on these addresses are the same one. */
export function sameAddress(a: ListenAddress, b: ListenAddress): boolean {
  if (a.socket !== undefined || b.socket !== undefined) return a.socket?.path === b.socket?.path;
  return a.port !== 0 && a.port === b.port && hostOf(a) === hostOf(b);
}

/** Whether one takes the place of the other: the same port on the same host or on every one, or the same socket file. */
export function overlaps(a: ListenAddress, b: ListenAddress): boolean {
  if (a.socket !== undefined || b.socket !== undefined) return a.socket?.path === b.socket?.path;
  return a.port !== 0 && a.port === b.port && (hostOf(a) === hostOf(b) || isWildcard(a) || isWildcard(b));
}

/** Whether only programs of this machine reach the address. */
export function isLoopback({ host, socket }: ListenAddress): boolean {
  if (socket !== undefined) return true;
  return host !== undefined && (host === 'localhost' || host === '::1' || host.startsWith('127.'));
}

function isWildcard({ host }: ListenAddress): boolean {
  return host === undefined || host === '0.0.0.0' || canonicalHost(host) === '::';
}

function hostOf({ host }: ListenAddress): string | undefined {
  return host === undefined ? undefined : canonicalHost(host);
}

function suggestionFor(text: string): string | undefined {
  if (/^\d{1,5}$/.test(text)) return `:${text}`;
  const url = /^https?:\/\/([^/]+:\d+)\/?$/.exec(text);
  if (url) return url[1];
  const bare = /^(.+):(\d{1,5})$/.exec(text);
  return bare && isIPv6(bare[1] ?? '') ? `[${bare[1]}]:${bare[2]}` : undefined;
}

function wrong(text: string, suggestion?: string): Checked<never> {
  return { mistake: { message: `wrong address ${quote(text)}`, found: quote(text), allowed, suggestion } };
}
