import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import type { ConfigInput } from '../../../src/config/schema.ts';
import { normalizePath } from '../../../src/request/path.ts';
import { PorticoError } from '../../../src/response/portico-error.ts';
import type { SiteTable } from '../../../src/route/site-table.ts';
import { compiledSites } from '../../support/compiled-sites.ts';
import { FakeExchange } from '../../support/fake-exchange.ts';

interface Case {
  readonly about: string;
  readonly sites: ConfigInput['sites'];
  /** Request to outcome. */
  readonly requests: Readonly<Record<string, string>>;
}

const file = new URL('../../fixtures/route/matching.yaml', import.meta.url);
const cases: Case[] = parse(readFileSync(file, 'utf8'));

/** `GET host/target Name: value Name: value`, sent to the sites: the site and route, or the error and its fields. */
function outcomeOf(request: string, sites: SiteTable): string {
  const [, method = '', host = '', target = '', rest = ''] = /^(\S+) ([^/]*)(\S+)(.*)$/.exec(request) ?? [];
  const fields: Record<string, string[]> = {};
  for (const [, name = '', value = ''] of rest.matchAll(/ (\S+): (\S+)/g)) (fields[name] ??= []).push(value);
  const exchange = new FakeExchange({ method, host, target, fields });
  const path = normalizePath(exchange.head.rawPath);
  assert.ok(path !== undefined);
  const found = sites.find(exchange.withContext(path));
  if (!(found instanceof PorticoError)) return `${found.site} ${found.name}`;
  return `${found.code} ${found.fields?.toString('latin1').trim() ?? ''}`.trim();
}

for (const { about, sites, requests } of cases) {
  test(about, () => {
    const table = compiledSites(sites);
    const outcomes = Object.keys(requests).map((request) => [request, outcomeOf(request, table)]);
    assert.deepEqual(Object.fromEntries(outcomes), requests);
  });
}

test('a site that has no route for a request leaves its error pages for the answer', () => {
  const routes = [{ path: '/a', respond: {} }];
  const sites = compiledSites([{ routes, errorPages: { 404: '/dev/null', '5xx': '/dev/null' } }]);
  const context = new FakeExchange({ target: '/b' }).withContext();
  assert.ok(sites.find(context) instanceof PorticoError);
  assert.deepEqual([...(context.site?.errorPages ?? new Map()).keys()], [404, '5xx']);
});
