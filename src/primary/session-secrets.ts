import { randomBytes } from 'node:crypto';
import type { Config, UpstreamConfig } from '../config/config.ts';

/**
 * Gives each upstream with sticky sessions that has no secret a random one, so that all workers have the same.
 * @param former the configuration in force, whose secrets go on, so that sessions survive a reload
 */
export function withSessionSecrets(
  upstreams: Config['upstreams'],
  former: Config['upstreams'] | undefined,
): Config['upstreams'] {
  const entries = Object.entries(upstreams).map(
    ([name, upstream]) => [name, withSecret(upstream, former?.[name])] as const,
  );
  return Object.fromEntries(entries);
}

function withSecret(upstream: UpstreamConfig, former: UpstreamConfig | undefined): UpstreamConfig {
  const { sticky } = upstream;
  if (sticky === undefined || sticky.secret !== undefined) return upstream;
  const secret = former?.sticky?.secret ?? randomBytes(32).toString('base64url');
  return { ...upstream, sticky: { ...sticky, secret } };
}
