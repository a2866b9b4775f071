import type { StatusRange } from '../health/status-set.ts';
import type { HealthConfig, PassiveHealthConfig, ServerConfig } from './config.ts';
import type { Diagnosis } from './diagnosis.ts';
import { quote } from './finding.ts';
import type { ParsedConfig } from './schema.ts';
import type { KeyPath } from './schema-walk.ts';
import { formatDuration } from './units.ts';

type ParsedUpstream = ParsedConfig['upstreams'][string];
type ParsedHealth = NonNullable<ParsedUpstream['health']>;
type ParsedStatuses = NonNullable<ParsedHealth['status']>;

/** Fields that a check writes itself, or that would change how its request is framed. */
const ownFields: Readonly<Record<string, string>> = {
  host: 'use the key host',
  connection: 'Portico sets it',
  'content-length': 'a check has no body',
  'transfer-encoding': 'a check has no body',
};
const httpKeys = ['path', 'method', 'host', 'status', 'body'] as const;

/** The active checks of an upstream. */
export function compileHealth(
  health: ParsedHealth,
  servers: readonly ServerConfig[],
  path: KeyPath,
  diagnosis: Diagnosis,
): HealthConfig {
  const { interval, timeout, rise, fall, jitter, startAs, port } = health;
  if (port !== undefined) checkPort(port, servers, path, diagnosis);
  const shared = { interval, timeout, rise, fall, jitter, startAs, ...(port === undefined ? {} : { port }) };
  if (health.tcp) {
    checkTcp(health, path, diagnosis);
    return { ...shared, check: { kind: 'tcp' } };
  }
  const { method = 'GET', host, body } = health;
  checkFields(health.headers, path, diagnosis);
  checkBody(health, path, diagnosis);
  return {
    ...shared,
    check: {
      kind: 'http',
      method,
      path: health.path ?? '/',
      headers: health.headers,
      status: compileStatuses(health.status ?? '200-399', [...path, 'status'], diagnosis),
      ...(host === undefined ? {} : { host }),
      ...(body === undefined ? {} : { body: typeof body === 'string' ? { text: body } : body }),
    },
  };
}

/** What requests tell of a server. */
export function compilePassiveHealth(
  passive: ParsedUpstream['passiveHealth'],
  path: KeyPath,
  diagnosis: Diagnosis,
): PassiveHealthConfig | false {
  if (passive === false) return false;
  if (passive.maxEjectionTime < passive.ejectionTime) {
    diagnosis.report([...path, 'maxEjectionTime'], {
      message: 'maxEjectionTime is shorter than ejectionTime',
      found: formatDuration(passive.maxEjectionTime),
      allowed: `at least ${formatDuration(passive.ejectionTime)}`,
    });
  }
  return { ...passive, status: compileStatuses(passive.status, [...path, 'status'], diagnosis) };
}

function compileStatuses(statuses: ParsedStatuses, path: KeyPath, diagnosis: Diagnosis): StatusRange[] {
  return [statuses].flat().map((status, index): StatusRange => {
    const [first = '', last = first] = String(status).split('-');
    if (Number(last) < Number(first)) {
      const place = Array.isArray(statuses) ? [...path, index] : path;
      const found = quote(String(status));
      const allowed = 'a range from the smaller status to the larger';
      diagnosis.report(place, {
        message: `the range ${found} is empty`,
        found,
        allowed,
        suggestion: `${last}-${first}`,
      });
    }
    return [Number(first), Number(last)];
  });
}

function checkPort(port: number, servers: readonly ServerConfig[], path: KeyPath, diagnosis: Diagnosis): void {
  const socket = servers.find(({ address }) => 'socketPath' in address);
  if (socket === undefined) return;
  diagnosis.report([...path, 'port'], {
    message: `the server ${quote(socket.name)} is a Unix socket and has no port`,
    found: String(port),
    allowed: 'a port only where every server has a host and a port',
  });
}

function checkTcp(health: ParsedHealth, path: KeyPath, diagnosis: Diagnosis): void {
  const given: string[] = httpKeys.filter((key) => health[key] !== undefined);
  if (Object.keys(health.headers).length > 0) given.push('headers');
  for (const key of given) {
    diagnosis.reportKey([...path, key], {
      message: `${key} has no effect beside \`tcp: true\`, which sends nothing`,
      found: quote(key),
      allowed: `${key} or \`tcp: true\``,
    });
  }
}

function checkFields(headers: ParsedHealth['headers'], path: KeyPath, diagnosis: Diagnosis): void {
  for (const name of Object.keys(headers)) {
    const reason = ownFields[name.toLowerCase()];
    if (reason === undefined) continue;
    diagnosis.reportKey([...path, 'headers', name], {
      message: `the field ${name} cannot be set for a check: ${reason}`,
      found: quote(name),
      allowed: 'any other field',
    });
  }
}

function checkBody({ body, method }: ParsedHealth, path: KeyPath, diagnosis: Diagnosis): void {
  if (body === undefined) return;
  if (method === 'HEAD') {
    const allowed = 'another method, or no body';
    diagnosis.report([...path, 'body'], { message: 'the answer to HEAD has no body', found: 'body', allowed });
  }
  if (typeof body === 'string') return;
  try {
    // Tried here, so that the mistake is told with its place.
    void new RegExp(body.matches, 'mu');
  } catch (error) {
    // `Invalid regular expression: /…/: Unterminated group`
    const reason = String(error).split(': ').at(-1);
    diagnosis.report([...path, 'body', 'matches'], {
      message: `wrong regular expression: ${reason}`,
      found: quote(body.matches),
      allowed: 'a regular expression of JavaScript',
    });
  }
}
