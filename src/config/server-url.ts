import { isIP, isIPv6 } from 'node:net';
import { resolve } from 'node:path';
import type { ServerConfig } from './config.ts';
import type { Checked } from './diagnosis.ts';
import { quote } from './finding.ts';
import { canonicalHost, isHost, splitHostPort } from './host-name.ts';

const allowed = 'http://host:port, https://host:port, host:port, unix:/path/to/socket or srv://name';
/** `sun_path` of a Unix socket address has 108 bytes, the last one a NUL (unix(7)). */
const longestSocketPath = 107;
const defaultPorts = { http: 80, https: 443 } as const;

/** Where a server is found, or the SRV name that says where. */
export interface ServerPlace {
  readonly name: string;
  /** Undefined for a socket or a service, whose URL does not tell it. */
  readonly scheme: 'http' | 'https' | undefined;
  readonly address: ServerConfig['address'] | { readonly service: string };
}

/**
 * Where an application instance listens.
 *
 * @param baseFolder what a relative socket path is relative to
 */
export function parseServerUrl(text: string, baseFolder: string): Checked<ServerPlace> {
  if (text.startsWith('unix:')) return parseSocketPath(text, baseFolder);
  const schemeEnd = text.indexOf('://');
  const scheme = schemeEnd < 0 ? undefined : text.slice(0, schemeEnd).toLowerCase();
  if (scheme === 'srv') return parseService(text, text.slice(schemeEnd + 3).replace(/\.?\/?$/, ''));
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https') return wrong(text);
  return parseAuthority(text, schemeEnd < 0 ? text : text.slice(schemeEnd + 3), scheme);
}

function parseAuthority(text: string, rest: string, given: 'http' | 'https' | undefined): Checked<ServerPlace> {
  // NGINX writes a socket as http://unix:/path.
  if (rest.startsWith('unix:')) return wrong(text, rest.replace(/:$/, ''));
  const authority = rest.replace(/\/$/, '');
  if (rest.startsWith('/')) return wrong(text, suggestionFor(rest));
  if (/[/?#@]/.test(authority)) {
    const message = `a server has no path, query or user name: ${quote(text)}`;
    return { mistake: { message, found: quote(text), allowed } };
  }
  const scheme = given ?? 'http';
  const withPort = given !== undefined && !/:\d+$/.test(authority) ? `${authority}:${defaultPorts[scheme]}` : authority;
  const parts = splitHostPort(withPort);
  if (!parts) return wrong(text, suggestionFor(authority));
  const port = Number(parts.port);
  const hostIsValid = parts.bracketed ? isIPv6(parts.host) : isHost(parts.host);
  if (!hostIsValid || port < 1 || port > 65_535) return wrong(text);
  const host = canonicalHost(parts.host);
  const name = parts.bracketed ? `[${host}]:${port}` : `${host}:${port}`;
  return { value: { name, scheme, address: { host, port } } };
}

/** SRV records are found under `_service._proto.name` (RFC 2782), but any name will do. */
function parseService(text: string, service: string): Checked<ServerPlace> {
  if (!isHost(service) || isIP(service) !== 0) return wrong(text);
  const name = service.toLowerCase();
  return { value: { name: `srv://${name}`, scheme: undefined, address: { service: name } } };
}

function parseSocketPath(text: string, baseFolder: string): ReturnType<typeof parseServerUrl> {
  const path = text.slice('unix:'.length);
  if (path === '' || path.includes('\0')) return wrong(text);
  const socketPath = resolve(baseFolder, path);
  const bytes = Buffer.byteLength(socketPath);
  if (bytes > longestSocketPath) {
    const found = `${bytes} bytes`;
    const message = `the path of the socket is too long: ${found}`;
    return { mistake: { message, found, allowed: `at most ${longestSocketPath} bytes` } };
  }
  return { value: { name: `unix:${socketPath}`, scheme: undefined, address: { socketPath } } };
}

function suggestionFor(authority: string): string | undefined {
  if (/^\d{1,5}$/.test(authority)) return `127.0.0.1:${authority}`;
  if (authority.startsWith('/')) return `unix:${authority}`;
  return isHost(authority) && !isIPv6(authority) ? `http://${authority}` : undefined;
}

function wrong(text: string, suggestion?: string): Checked<never> {
  return { mistake: { message: `wrong server ${quote(text)}`, found: quote(text), allowed, suggestion } };
}
