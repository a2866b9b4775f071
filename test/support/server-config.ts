import type { ServerConfig } from '../../src/config/config.ts';

/** A server's configuration with the defaults of the schema. */
export function serverConfig(address: ServerConfig['address'], changes: Partial<ServerConfig> = {}): ServerConfig {
  const name = 'socketPath' in address ? `unix:${address.socketPath}` : `${address.host}:${address.port}`;
  return { name, address, weight: 1, level: 0, state: 'ready', ...changes };
}
