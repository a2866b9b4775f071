import type { HealthConfig, HttpCheckConfig, ServerConfig } from '../config/config.ts';
import { type BodyMatch, compileBodyMatch } from '../health/body-match.ts';
import type { StatusRange } from '../health/status-set.ts';

/** What a check sends to one server and what it takes for a good answer. Made once for each server and configuration. */
export interface HealthCheck {
  /** The whole request, Latin-1; undefined where a connection is all that is wanted. */
  readonly request: string | undefined;
  readonly toHead: boolean;
  readonly status: readonly StatusRange[];
  /** Undefined: any body, and it need not come. */
  readonly matchesBody: BodyMatch | undefined;
}

/** @throws SyntaxError when the regular expression of the body is none, which the configuration was checked for */
export function compileCheck({ check, port }: HealthConfig, server: ServerConfig): HealthCheck {
  if (check.kind === 'tcp') return { request: undefined, toHead: false, status: [], matchesBody: undefined };
  return {
    request: requestOf(check, check.host ?? hostOf(server, port)),
    toHead: check.method === 'HEAD',
    status: check.status,
    matchesBody: check.body === undefined ? undefined : compileBodyMatch(check.body),
  };
}

function requestOf({ method, path, headers }: HttpCheckConfig, host: string): string {
  const fields = new Map([
    ['user-agent', 'User-Agent: Portico-Health-Check'],
    ['accept', 'Accept: */*'],
    ...Object.entries(headers).map(([name, value]) => [name.toLowerCase(), `${name}: ${value}`] as const),
  ]);
  const lines = [`${method} ${path} HTTP/1.1`, `Host: ${host}`, ...fields.values(), 'Connection: close'];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** What stands in the Host field unless something else is configured (RFC 9110 section 7.2). */
function hostOf({ address }: ServerConfig, port: number | undefined): string {
  if ('socketPath' in address) return 'localhost';
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `${host}:${port ?? address.port}`;
}
