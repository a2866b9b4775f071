import { type AccessLayer, checkIdentityClash, compileAccessLayer, joinAccess } from './compile-access.ts';
import { compileBrowserLayer, joinBrowser } from './compile-browser.ts';
import { compileRouteLimits, noLimits } from './compile-limits.ts';
import { compileRoute } from './compile-route.ts';
import type { RouteConfig, SiteConfig } from './config.ts';
import type { Diagnosis } from './diagnosis.ts';
import { fileMistake } from './file-check.ts';
import { formatKeyPath, quote } from './finding.ts';
import { parseHostPattern } from './host-pattern.ts';
import { routeIdentity } from './route-identity.ts';
import type { ParsedConfig } from './schema.ts';
import type { KeyPath } from './schema-walk.ts';
import { uniqueLabel } from './unique-label.ts';

type ParsedSite = ParsedConfig['sites'][number];

/** An error page is held in memory by each worker. */
const largestErrorPage = 1024 * 1024;

/** Compiles the sites and checks what they must not have in common. */
export function compileSites(parsed: ParsedConfig, diagnosis: Diagnosis): SiteConfig[] {
  const hostOwners = new Map<string, KeyPath>();
  const labels = new Map<string, KeyPath>();
  let defaultSite: KeyPath | undefined;
  const sites = parsed.sites.map((site, index) => {
    const path = ['sites', index];
    const hosts = site.hosts?.map((host, at) => compileHost(host, [...path, 'hosts', at], hostOwners, diagnosis));
    if (!hosts && defaultSite) reportSecondDefault(path, defaultSite, diagnosis);
    if (!hosts) defaultSite ??= path;
    const name = uniqueLabel(site.name, hosts?.[0] ?? 'default', path, labels, diagnosis);
    const routes = compileRoutes(site, path, parsed, diagnosis);
    return {
      ...withoutHosts(site),
      ...(hosts && { hosts }),
      name,
      routes,
      errorPages: compileErrorPages(site, path, diagnosis),
    };
  });
  warnOfUnusedUpstreams(parsed, diagnosis);
  warnOfUnreachableRoutes(parsed, diagnosis);
  return sites;
}

function withoutHosts({
  hosts: _hosts,
  rateLimit: _rateLimit,
  concurrencyLimit: _concurrencyLimit,
  access: _access,
  securityHeaders: _securityHeaders,
  cors: _cors,
  ...site
}: ParsedSite): Omit<ParsedSite, 'hosts' | 'rateLimit' | 'concurrencyLimit' | 'access' | 'securityHeaders' | 'cors'> {
  return site;
}

function compileHost(text: string, path: KeyPath, owners: Map<string, KeyPath>, diagnosis: Diagnosis): string {
  const checked = parseHostPattern(text);
  if ('mistake' in checked) {
    diagnosis.report(path, checked.mistake);
    return text;
  }
  const owner = owners.get(checked.value);
  if (owner) {
    const message = `the host ${quote(text)} is taken by ${formatKeyPath(owner)}`;
    diagnosis.report(path, { message, found: quote(text), allowed: 'each host once' });
  } else {
    owners.set(checked.value, path);
  }
  return checked.value;
}

function reportSecondDefault(path: KeyPath, first: KeyPath, diagnosis: Diagnosis): void {
  const message = `${formatKeyPath(first)} takes every host already`;
  diagnosis.report(path, { message, found: 'a second site without hosts', allowed: 'one site without hosts' });
}

function compileRoutes(site: ParsedSite, sitePath: KeyPath, parsed: ParsedConfig, diagnosis: Diagnosis): RouteConfig[] {
  const identities = new Map<string, KeyPath>();
  const labels = new Map<string, KeyPath>();
  const siteLimits = compileRouteLimits(site, sitePath, noLimits, parsed, diagnosis);
  const accessOf = ({ access }: Pick<ParsedSite, 'access'>, path: KeyPath): AccessLayer =>
    compileAccessLayer(access, [...path, 'access'], diagnosis);
  const siteAccess = accessOf(site, sitePath);
  const { securityHeaders, cors } = site;
  const siteBrowser = compileBrowserLayer({ securityHeaders, cors }, sitePath, diagnosis);
  return site.routes.map((route, index) => {
    const path = [...sitePath, 'routes', index];
    const compiled = compileRoute(route, path, parsed, diagnosis);
    checkInterception(route, path, site.errorPages, diagnosis);
    const identity = routeIdentity(compiled);
    const twin = identities.get(identity);
    if (twin) {
      const message = `${formatKeyPath(twin)} takes the same requests as ${quote(route.path)}`;
      const allowed = 'routes that differ in path, exact, methods, headers or query';
      diagnosis.report([...path, 'path'], { message, found: quote(route.path), allowed });
    } else {
      identities.set(identity, path);
    }
    const limits = compileRouteLimits(route, path, siteLimits, parsed, diagnosis);
    const access = joinAccess(siteAccess, accessOf(route, path));
    const fieldsPath = [...path, 'proxy', 'requestHeaders', 'set'];
    checkIdentityClash(access, route.proxy?.requestHeaders.set ?? {}, fieldsPath, diagnosis);
    const browser = joinBrowser(siteBrowser, compileBrowserLayer(route, path, diagnosis));
    const name = uniqueLabel(route.name, route.path, path, labels, diagnosis);
    return { ...compiled, ...limits, access, browser, name };
  });
}

/** Only a page can stand in the place of what the application says. */
function checkInterception(
  { proxy }: ParsedSite['routes'][number],
  path: KeyPath,
  pages: ParsedSite['errorPages'],
  diagnosis: Diagnosis,
): void {
  const intercepted = proxy?.interceptErrors ?? false;
  if (intercepted === false) return;
  const place = [...path, 'proxy', 'interceptErrors'];
  const keys = Object.keys(pages);
  if (intercepted === true) {
    if (keys.some((key) => key !== 'maintenance')) return;
    const message = 'interceptErrors without any page to send';
    return diagnosis.report(place, { message, found: 'true', allowed: 'true in a site that has errorPages' });
  }
  for (const [index, status] of intercepted.entries()) {
    const text = String(status);
    const digit = text.slice(0, 1);
    const covered = keys.some(
      (key) => key === text || key === `${digit}xx` || (text.endsWith('xx') && key[0] === digit),
    );
    if (covered) continue;
    const message = `no page for ${text} in the errorPages of the site`;
    diagnosis.report([...place, index], { message, found: text, allowed: 'statuses that errorPages has a page for' });
  }
}

function compileErrorPages(site: ParsedSite, path: KeyPath, diagnosis: Diagnosis): Record<string, string> {
  const pages = Object.entries(site.errorPages).map(([status, file]) => {
    const absolute = diagnosis.absolute(file);
    const mistake = fileMistake(absolute, { maxBytes: largestErrorPage });
    if (mistake) diagnosis.report([...path, 'errorPages', status], mistake);
    return [status, absolute];
  });
  return Object.fromEntries(pages);
}

function warnOfUnusedUpstreams(parsed: ParsedConfig, diagnosis: Diagnosis): void {
  const used = new Set(
    parsed.sites.flatMap(({ routes }) => routes.flatMap((route) => [route.proxy?.upstream, route.static?.passThrough])),
  );
  for (const name of Object.keys(parsed.upstreams)) {
    if (!used.has(name)) diagnosis.warn(`no route uses the upstream ${name}`);
  }
}

/** Internal routes are there for directives, and the other way round. */
function warnOfUnreachableRoutes({ sites, upstreams }: ParsedConfig, diagnosis: Diagnosis): void {
  const obeyed = Object.entries(upstreams).filter(([, { directives }]) => directives.redirect);
  const internal = sites.flatMap(({ routes }) => routes.filter((route) => route.internal));
  if (obeyed.length === 0) {
    for (const { path } of internal) {
      diagnosis.warn(`nothing leads to the internal route ${path}: no upstream has directives.redirect`);
    }
  } else if (internal.length === 0) {
    for (const [name] of obeyed) {
      diagnosis.warn(`upstreams.${name}.directives.redirect leads nowhere: no site has an internal route`);
    }
  }
}
