import { noBuffering } from './buffering-defaults.ts';
import { compileRouteCache } from './compile-cache.ts';
import { compileCompression } from './compile-compression.ts';
import { compileStatic } from './compile-static.ts';
import { checkUpgrade } from './compile-upgrade.ts';
import type { RouteAction, RouteConfig } from './config.ts';
import type { Diagnosis } from './diagnosis.ts';
import { checkFieldChanges, requestFieldsOfPortico, responseFieldsOfPortico } from './field-changes.ts';
import { quote } from './finding.ts';
import { isHost, splitHostPort } from './host-name.ts';
import { redirectTargetMistake } from './redirect-target.ts';
import { parseRoutePath } from './route-path.ts';
import type { ParsedConfig } from './schema.ts';
import type { KeyPath } from './schema-walk.ts';
import { checkUpstreamName } from './upstream-reference.ts';

type ParsedRoute = ParsedConfig['sites'][number]['routes'][number];

const actionNames = ['static', 'proxy', 'redirect', 'respond'] as const;

/** Compiles one route; its name is given by the caller, which knows the others. */
export function compileRoute(
  route: ParsedRoute,
  path: KeyPath,
  parsed: ParsedConfig,
  diagnosis: Diagnosis,
): Omit<RouteConfig, 'name' | 'rateLimit' | 'concurrencyLimit' | 'access' | 'browser'> {
  const { name: _name, static: _static, proxy: _proxy, redirect: _redirect, respond: _respond, ...given } = route;
  const { rateLimit: _rateLimit, concurrencyLimit: _concurrencyLimit, access: _access, ...open } = given;
  const { securityHeaders: _securityHeaders, cors: _cors, ...rest } = open;
  const routePath = parseRoutePath(route.path, route.exact);
  if ('mistake' in routePath) diagnosis.report([...path, 'path'], routePath.mistake);
  checkFieldChanges(route.responseHeaders, [...path, 'responseHeaders'], responseFieldsOfPortico, diagnosis);
  checkConditionNames(route, path, diagnosis);
  return {
    ...rest,
    path: 'value' in routePath ? routePath.value : route.path,
    bodyLimit: route.bodyLimit ?? parsed.limits.bodySize,
    cache: compileRouteCache(route, [...path, 'cache'], parsed, diagnosis),
    compress: compileCompression(route.compress, [...path, 'compress'], diagnosis),
    action: compileAction(route, path, parsed, diagnosis),
  };
}

function compileAction(route: ParsedRoute, path: KeyPath, parsed: ParsedConfig, diagnosis: Diagnosis): RouteAction {
  const present = actionNames.filter((name) => route[name] !== undefined);
  const [first, second] = present;
  const allowed = 'exactly one of static, proxy, redirect, respond';
  if (first === undefined) {
    diagnosis.report(path, { message: `the route ${quote(route.path)} does nothing`, found: 'nothing', allowed });
  } else if (second !== undefined) {
    const found = present.join(' and ');
    diagnosis.reportKey([...path, second], { message: `the route has several actions: ${found}`, found, allowed });
  }
  if (route.static) {
    return { kind: 'static', ...compileStatic(route.static, [...path, 'static'], parsed.upstreams, diagnosis) };
  }
  if (route.proxy) {
    checkProxy(route.proxy, [...path, 'proxy'], parsed.upstreams, diagnosis);
    return { kind: 'proxy', ...route.proxy, buffering: route.proxy.buffering || noBuffering };
  }
  if (route.redirect) {
    const mistake = redirectTargetMistake(route.redirect.to);
    if (mistake) diagnosis.report([...path, 'redirect', 'to'], mistake);
    return { kind: 'redirect', ...route.redirect };
  }
  const respond = route.respond ?? { status: 404, body: '', contentType: '' };
  checkRespond(respond, [...path, 'respond'], diagnosis);
  return { kind: 'respond', ...respond };
}

function checkProxy(
  proxy: NonNullable<ParsedRoute['proxy']>,
  path: KeyPath,
  upstreams: ParsedConfig['upstreams'],
  diagnosis: Diagnosis,
): void {
  checkUpstreamName(proxy.upstream, [...path, 'upstream'], upstreams, diagnosis);
  checkFieldChanges(proxy.requestHeaders, [...path, 'requestHeaders'], requestFieldsOfPortico, diagnosis);
  checkUpgrade(proxy.upgrade, [...path, 'upgrade'], diagnosis);
  if (typeof proxy.host === 'string') return;
  const { value } = proxy.host;
  const host = splitHostPort(value)?.host ?? value.replace(/^\[(.*)\]$/, '$1');
  if (!isHost(host)) {
    const allowed = 'a host such as app.internal or app.internal:8000';
    diagnosis.report([...path, 'host', 'value'], {
      message: `wrong host ${quote(value)}`,
      found: quote(value),
      allowed,
    });
  }
}

function checkRespond(
  { status, body }: NonNullable<ParsedRoute['respond']>,
  path: KeyPath,
  diagnosis: Diagnosis,
): void {
  // RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5: these end with the header.
  if (body === '' || ![204, 205, 304].includes(status)) return;
  const message = `a response with status ${status} has no body`;
  diagnosis.report([...path, 'body'], { message, found: quote(body), allowed: 'no body, or another status' });
}

/** Field names are the same in any case, so that two spellings are one condition twice. */
function checkConditionNames({ headers }: ParsedRoute, path: KeyPath, diagnosis: Diagnosis): void {
  const seen = new Set<string>();
  for (const name of Object.keys(headers ?? {})) {
    if (seen.has(name.toLowerCase())) {
      const mistake = {
        message: `the field ${quote(name)} is there twice`,
        found: quote(name),
        allowed: 'each field once',
      };
      diagnosis.reportKey([...path, 'headers', name], mistake);
    }
    seen.add(name.toLowerCase());
  }
}
