import assert from 'node:assert/strict';
import { compileConfig } from '../../src/config/compile.ts';
import { type ConfigInput, configSchema } from '../../src/config/schema.ts';
import { compileRoutes, type HandlerFactory } from '../../src/route/compile-routes.ts';
import type { ErrorPage } from '../../src/route/route.ts';
import type { SiteTable } from '../../src/route/site-table.ts';

const silent: HandlerFactory = () => ({ handle: () => {} });
const pageNamedByPath = (path: string): ErrorPage => ({ contentType: 'text/html', body: Buffer.from(path) });

/** Sites as the worker compiles them from a file; handlers do nothing and error pages hold their path unless given. */
export function compiledSites(
  sites: ConfigInput['sites'],
  makeHandler: HandlerFactory = silent,
  readPage: (path: string) => ErrorPage = pageNamedByPath,
): SiteTable {
  const { config, findings } = compileConfig(configSchema.parse({ sites }), '/', new Set());
  assert.deepEqual(findings, []);
  return compileRoutes(config, makeHandler, readPage);
}
