import type { ConfigInput } from './schema.ts';

export type { ConfigInput } from './schema.ts';

/**
 * Gives `portico.config.ts` its types: completion and errors while it is written.
 *
 * @example
 * import { defineConfig } from 'portico';
 *
 * export default defineConfig({
 *   upstreams: { app: { servers: ['127.0.0.1:8000'] } },
 *   sites: [{ routes: [{ path: '/', proxy: { upstream: 'app' } }] }],
 * });
 */
export function defineConfig(config: ConfigInput): ConfigInput {
  return config;
}
